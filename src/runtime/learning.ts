import type { LogRecord } from '../kafka/record.js';
import type { TaskCodec } from './arrival.js';

/** A codec that may have to ask a registry first: null when everything is known, which is nearly always. */
export interface LearningCodec extends TaskCodec {
  learn(values: Iterable<Uint8Array | null>): Promise<void> | null;
}

interface LearnOptions {
  /** Told before each further attempt. */
  readonly onFailure: (error: unknown, attempt: number) => void;
  /** Waits before the attempt with this number, counted from 0. */
  readonly pause: (attempt: number) => Promise<void>;
  readonly isStopping: () => boolean;
}

/** Asks for schemas seen for the first time; while the registry does not answer, the caller waits. */
export async function learnSchemas(codec: LearningCodec, records: readonly LogRecord[], { onFailure, pause, isStopping }: LearnOptions): Promise<void> {
  for (let attempt = 0; !isStopping(); attempt++) {
    const learning = codec.learn(valuesOf(records));
    if (learning === null) return;
    try {
      await learning;
      return;
    } catch (error) {
      onFailure(error, attempt);
      await pause(attempt);
    }
  }
}

function valuesOf(records: readonly LogRecord[]): readonly (Uint8Array | null)[] {
  return records.map(({ value }) => value);
}
