import { setTimeout as sleep } from 'node:timers/promises';
import { classify } from '../../kafka/errors.js';
import type { SourceWriter } from '../../kafka/log.js';
import type { OutgoingRecord } from '../../kafka/record.js';
import { backoffMs } from './backoff.js';

/** Sends that may wait for each other; more are the caller's mistake. */
const FIRST_PAUSE_MS = 100;
const MOST_PAUSE_MS = 5_000;

/**
 * An appender that does not give up: a send that failed for a passing reason is sent again whole, and no later send goes before
 * it, so that every partition keeps its order. What was written of it before is there twice then, which is harmless. Rejects for
 * what does not pass (a record refused, a topic gone), and for everything once the signal is aborted.
 */
export class PersistentAppender implements SourceWriter {
  readonly #inner: SourceWriter;
  readonly #signal: AbortSignal;
  readonly #onRetry: (attempt: number, why: string) => void;
  #tail: Promise<void> = Promise.resolve();

  constructor(inner: SourceWriter, signal: AbortSignal, onRetry: (attempt: number, why: string) => void) {
    this.#inner = inner;
    this.#signal = signal;
    this.#onRetry = onRetry;
  }

  send(records: readonly OutgoingRecord[]): Promise<void> {
    const sent = this.#tail.then(() => this.#insist(records));
    this.#tail = sent.catch(() => undefined);
    return sent;
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #insist(records: readonly OutgoingRecord[]): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      this.#signal.throwIfAborted();
      try {
        await this.#inner.send(records);
        return;
      } catch (error) {
        const failure = classify(error);
        if (failure.kind !== 'transient') throw failure;
        this.#onRetry(attempt + 1, failure.message);
        await sleep(backoffMs(attempt, Math.random(), FIRST_PAUSE_MS, MOST_PAUSE_MS), undefined, { signal: this.#signal });
      }
    }
  }
}
