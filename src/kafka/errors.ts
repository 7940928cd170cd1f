/**
 * Errors of the log, named by what the shell does next.
 *
 * | class                | the shell                                                                                    |
 * |----------------------|----------------------------------------------------------------------------------------------|
 * | `FencedError`        | gives the task up without harm: somebody newer owns it                                       |
 * | `TransientError`     | throws the writer (or reader) away, makes a new one, re-reads committed offsets, rewinds      |
 * | `StateLostError`     | stops the task: a position it needs is no longer in the log; a person decides                 |
 * | `CorruptBatchError`  | stops the task: bytes of the log do not match their checksum or their own lengths             |
 * | `RecordRefusedError` | fails the same way again: the broker will not take this record (too large, bad timestamp)      |
 * | `ConfigurationError` | ends the process: topic missing, not authorised, partitions differ, unsupported codec         |
 */
export type LogErrorKind =
  | 'fenced'
  | 'transient'
  | 'state-lost'
  | 'corrupt-batch'
  | 'record-refused'
  | 'configuration';

interface LogErrorOptions {
  readonly cause?: unknown;
  readonly topic?: string;
  readonly partition?: number;
}

export abstract class LogError extends Error {
  abstract readonly kind: LogErrorKind;
  readonly topic: string | null;
  readonly partition: number | null;

  constructor(message: string, options: LogErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.topic = options.topic ?? null;
    this.partition = options.partition ?? null;
  }
}

export class FencedError extends LogError {
  readonly kind = 'fenced';
}
export class TransientError extends LogError {
  readonly kind = 'transient';
}
export class StateLostError extends LogError {
  readonly kind = 'state-lost';
}
export class CorruptBatchError extends LogError {
  readonly kind = 'corrupt-batch';
}
export class RecordRefusedError extends LogError {
  readonly kind = 'record-refused';
}
export class ConfigurationError extends LogError {
  readonly kind = 'configuration';
  /** The broker refused because of a missing right. */
  readonly isUnauthorized: boolean;

  constructor(message: string, options: LogErrorOptions & { readonly isUnauthorized?: boolean } = {}) {
    super(message, options);
    this.isUnauthorized = options.isUnauthorized ?? false;
  }
}

/**
 * Brokers that want TLS or credentials close a connection that comes without, and do not say why: what may be missing, to be put
 * behind the message; nothing where the cause is another one, or nothing is missing.
 */
export function closedHint(error: unknown, { ssl, sasl }: { readonly ssl?: unknown; readonly sasl?: unknown }): string {
  const isClosed = /closed/i.test(error instanceof Error ? error.message : String(error));
  const missing = [...(ssl === undefined ? ['TLS (KAFKA_TLS, KAFKA_TLS_CA)'] : []), ...(sasl === undefined ? ['credentials (KAFKA_SASL_MECHANISM, …)'] : [])];
  return isClosed && missing.length > 0 ? `; brokers that want ${missing.join(' or ')} close connections without` : '';
}

/**
 * The `LogError` in anything caught: itself if it is one, else a `TransientError` around it. Sockets, timeouts and
 * surprises all mean the same to the shell: what was under way may or may not have happened.
 */
export function classify(error: unknown, what?: string): LogError {
  if (error instanceof LogError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new TransientError(what === undefined ? message : `${what}: ${message}`, { cause: error });
}
