import { decodeRecordBatches, type DecodedBatch } from './batch-decoder.js';
import type { AbortedTransaction } from './protocol/record-requests.js';
import type { LogRecord } from './record.js';

/** What one fetch answer holds for one partition. */
export interface FetchedBytes {
  readonly topic: string;
  readonly partition: number;
  /** The offset asked for; batches may begin before it. */
  readonly fromOffset: number;
  readonly bytes: Buffer;
  readonly aborted: readonly AbortedTransaction[];
}

export interface CommittedRecords {
  readonly records: LogRecord[];
  /** Past every whole batch of the answer, whether it held records or not; `fromOffset` if there was none. */
  readonly nextOffset: number;
}

/** Decodes a fetch answer and leaves out markers and the records of aborted transactions. */
export function committedRecords({ topic, partition, fromOffset, bytes, aborted }: FetchedBytes): CommittedRecords {
  const isAborted = abortedFilter(aborted);
  const records: LogRecord[] = [];
  let nextOffset = fromOffset;
  for (const batch of decodeRecordBatches(bytes, topic, partition)) {
    const isDropped = isAborted(batch);
    if (!isDropped && !batch.isControl && batch.nextOffset > fromOffset) batch.readRecords(records, fromOffset);
    nextOffset = Math.max(nextOffset, batch.nextOffset);
  }
  return { records, nextOffset };
}

/** Of a batch: what the filter looks at. */
export type FilteredBatch = Pick<DecodedBatch, 'nextOffset' | 'producerId' | 'isTransactional' | 'isControl' | 'isAbortMarker'>;

/**
 * Tells for each batch, asked in the order of the log, whether it belongs to an aborted transaction.
 *
 * The broker lists the aborted transactions in the order of their abort markers; what is needed is the order of their
 * first records, and all that have begun by a batch's end are open there, however many. A transaction ends at its
 * producer's abort marker, which is a batch with the control flag; what a user record's key looks like says nothing.
 */
export function abortedFilter(aborted: readonly AbortedTransaction[]): (batch: FilteredBatch) => boolean {
  if (aborted.length === 0) return () => false;
  const byFirstOffset = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  const openProducers = new Set<number>();
  let begun = 0;
  return (batch) => {
    for (; begun < byFirstOffset.length && byFirstOffset[begun]!.firstOffset < batch.nextOffset; begun++) {
      openProducers.add(byFirstOffset[begun]!.producerId);
    }
    if (batch.isControl) {
      if (batch.isAbortMarker) openProducers.delete(batch.producerId);
      return false;
    }
    return batch.isTransactional && openProducers.has(batch.producerId);
  };
}
