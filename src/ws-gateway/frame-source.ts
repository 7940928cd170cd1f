import type { RecordSource } from '../domain/records.js';
import type { RejectionReason } from './exchange-fields.js';

/** One frame of the private stream, whoever received it: a capture file, or a connection to the exchange. */
export interface ReceivedFrame {
  readonly kind: 'frame';
  /** Receive time in milliseconds on the exchange's clock. */
  readonly receivedAtMs: number;
  readonly frame: unknown;
  /** The account it belongs to; null where the source does not know, then the gateway finds it. */
  readonly account: string | null;
  /** Where its rows are from: the stream, if it does not say, or the exchange's history. */
  readonly source?: RecordSource;
  /** Indexes of its rows in the whole frame, where it holds only some of them. */
  readonly rowIndexes?: readonly number[] | null;
  /** The bytes it came in: what a dead letter holds if the frame cannot be used. */
  readonly raw: Uint8Array;
  /** Line of the file, from 1; null without a file. */
  readonly lineNumber: number | null;
}

/** Bytes in which no frame could be found. */
export interface UnreadableInput {
  readonly kind: 'unreadable';
  readonly reason: RejectionReason;
  readonly message: string;
  readonly raw: Uint8Array;
  readonly lineNumber: number | null;
}

export type SourceItem = ReceivedFrame | UnreadableInput;

/** Where frames come from, in the order of receiving; several at a time, as they arrive. */
export type FrameSource = AsyncIterable<readonly SourceItem[]>;
