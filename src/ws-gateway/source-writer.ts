import type { RecordName, RecordTypes } from '../domain/records.js';

/** Where the gateway writes: the log of a broker, or one in memory. Records of one partition keep the order of the calls. */
export interface SourceWriter {
  write<N extends RecordName>(topic: string, partition: number, key: string | null, type: N, value: RecordTypes[N], timestampMs: number): void;
  /** Bytes as they are. */
  writeRaw(topic: string, partition: number, key: string | null, value: Uint8Array, timestampMs: number, headers: readonly (readonly [string, string])[]): void;
  /** Resolves once little enough is under way for more to be written. */
  drain(): Promise<void>;
  /** Resolves when everything written is acknowledged; rejects if anything could not be. */
  flush(): Promise<void>;
}
