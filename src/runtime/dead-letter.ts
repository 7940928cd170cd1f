import type { LogRecord, RecordHeader } from '../kafka/record.js';

/** Where a record failed: reading its bytes, handling it, or writing its rows. */
export type FailureStage = 'decode' | 'process' | 'sink';

/** Names of the headers that say why. */
export const ERROR_HEADERS = '__streams.errors.';
const MAX_MESSAGE_LENGTH = 1_000;

/** Headers that say why a record is a dead letter, and where it came from. They go behind the record's own. */
export function deadLetterHeaders(record: LogRecord, stage: FailureStage, exception: string, message: string): RecordHeader[] {
  const header = (name: string, text: string): RecordHeader => [`${ERROR_HEADERS}${name}`, Buffer.from(text)];
  return [
    header('exception', exception),
    header('message', message.slice(0, MAX_MESSAGE_LENGTH)),
    header('topic', record.topic),
    header('partition', String(record.partition)),
    header('offset', String(record.offset)),
    header('stage', stage),
  ];
}
