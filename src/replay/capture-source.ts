import { Readable } from 'node:stream';
import { partitionOf } from '../kafka/partitioner.js';
import type { MemoryLog } from '../runtime/memory-log.js';
import type { TaskCodec } from '../runtime/arrival.js';
import { captureItems, readCapture } from '../ws-gateway/capture-reader.js';
import type { FrameSource } from '../ws-gateway/frame-source.js';
import type { GatewayCounts } from '../ws-gateway/gateway.js';
import { LogWriter } from '../ws-gateway/log-writer.js';
import { runGateway } from '../ws-gateway/run-gateway.js';

export interface CaptureOptions {
  readonly account: string | null;
  readonly partitions: number;
  readonly skewAllowanceMs: number;
  readonly joinWindowMs: number;
  /** More of the session follows: no closing watermark. */
  readonly continues: boolean;
  readonly onProgress?: () => void;
}

/** A file or - for standard input, or the lines themselves. */
export type CaptureInput = { readonly path: string } | { readonly lines: readonly string[] };

/** Plays a capture into the source topics of a log in memory, as fast as it goes. */
export async function ingestIntoMemory(input: CaptureInput, log: MemoryLog, codec: TaskCodec, options: CaptureOptions): Promise<GatewayCounts> {
  const { partitions, onProgress } = options;
  const writer = new LogWriter({ appender: log.sourceWriter(), encode: (type, value) => codec.encode(type, value), nameOf: (topic) => topic });
  const run = await runGateway(sourceOf(input), writer, {
    account: options.account,
    partitions,
    partitionOf: (asset) => partitionOf(asset, partitions),
    skewAllowanceMs: options.skewAllowanceMs,
    joinWindowMs: options.joinWindowMs,
    continues: options.continues,
    speed: 'max',
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  return run.counts;
}

function sourceOf(input: CaptureInput): FrameSource {
  if ('path' in input) return readCapture(input.path);
  return captureItems(Readable.from(input.lines.map((line) => Buffer.from(`${line}\n`))), 'the lines given');
}
