import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { RecordName, RecordTypes } from '../../src/domain/records.js';
import { createOrderManager } from '../../src/order-manager/order-manager.js';
import { createPositionLinker, type PositionLinker } from '../../src/position-linker/position-linker.js';
import type { LinkerOptions } from '../../src/position-linker/market.js';
import { Merge } from '../../src/runtime/merge.js';
import type { Emitter, MergedRecord, Processor } from '../../src/runtime/processor.js';
import { parseCaptureLine } from '../../src/ws-gateway/capture-line.js';
import type { SourceItem } from '../../src/ws-gateway/frame-source.js';
import { Gateway } from '../../src/ws-gateway/gateway.js';
import { ReceiveTimeGuard } from '../../src/ws-gateway/receive-time-guard.js';
import type { SourceWriter } from '../../src/ws-gateway/source-writer.js';

/** One record of a topic partition as plain objects: no bytes, for tests of the cores alone. */
export interface PlainRecord {
  readonly topic: string;
  readonly offset: number;
  readonly eventMs: number;
  readonly key: string | null;
  readonly type: RecordName;
  readonly value: RecordTypes[RecordName];
}

/** Topics of partition 0. */
export class PlainLog {
  readonly topics = new Map<string, PlainRecord[]>();

  of(topic: string): PlainRecord[] {
    let records = this.topics.get(topic);
    if (records === undefined) {
      records = [];
      this.topics.set(topic, records);
    }
    return records;
  }

  append(topic: string, key: string | null, type: RecordName, value: RecordTypes[RecordName], eventMs: number): void {
    const records = this.of(topic);
    records.push({ topic, offset: records.length, eventMs, key, type, value });
  }
}

export function readLines(path: string): string[] {
  const bytes = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text.split('\n').filter((line) => line !== '');
}

/** Plays capture lines into the source topics of one partition. */
export function ingest(lines: readonly string[], log: PlainLog, continues = false): Gateway {
  const writer: SourceWriter = {
    write: (topic, _partition, key, type, value, timestampMs) => log.append(topic, key, type, value, timestampMs),
    writeRaw: () => {},
    drain: async () => {},
    flush: async () => {},
  };
  const gateway = new Gateway({ account: null, partitions: 1, partitionOf: () => 0, skewAllowanceMs: 500, joinWindowMs: 5_000 }, writer);
  const guard = new ReceiveTimeGuard();
  const accept = (items: readonly SourceItem[]): void => items.forEach((item) => gateway.accept(item));
  lines.forEach((text, index) => {
    const raw = Buffer.from(text);
    const line = parseCaptureLine(text);
    accept(guard.push(line.kind === 'line' ? { ...line, kind: 'frame', raw, lineNumber: index + 1 } : { ...line, raw, lineNumber: index + 1 }));
  });
  accept(guard.end());
  gateway.finish(continues);
  return gateway;
}

/** Runs one processor over whole topics, as the runtime does, and appends what it writes. */
export function runProcessor(processor: Processor, log: PlainLog, inputs: readonly string[], outputs: readonly string[]): { deadLetters: string[] } {
  const deadLetters: string[] = [];
  const emitter: Emitter = {
    emit: (topic, key, type, value, eventMs) => {
      if (value !== null) log.append(topic, key, type, value, eventMs);
    },
    deadLetter: (exception, message) => deadLetters.push(`${exception}: ${message}`),
  };
  const merge = new Merge<PlainRecord>(inputs.length);
  inputs.forEach((topic, input) => {
    for (const record of log.of(topic)) {
      if (record.type === 'Watermark') merge.pushWatermark(input, record.offset, (record.value as RecordTypes['Watermark']).watermark_at);
      else merge.pushRecord(input, record.offset, record.eventMs, record);
    }
  });
  let forwarded = -1;
  merge.take({
    record: (item, _input, effectiveMs) => {
      processor.process({ ...item, partition: 0, effectiveMs } as unknown as MergedRecord, emitter);
    },
    watermark: (mergedMs) => {
      const forward = processor.advance(mergedMs, emitter);
      if (forward <= forwarded) return;
      forwarded = forward;
      for (const topic of outputs) log.append(topic, null, 'Watermark', { watermark_at: forward }, forward);
    },
  });
  return { deadLetters };
}

const ORDER_EVENTS = 'order-manager.order_events';
export const LINKER_INPUTS = [ORDER_EVENTS, 'ws-gateway.position'] as const;
export const LINKER_OUTPUTS = [
  'position-linker.position_orders', 'position-linker.position_cycles', 'position-linker.prediction_deltas', 'position-linker.discrepancies',
] as const;

/** Capture lines to the linker's outputs. */
export function linkCapture(lines: readonly string[], options: Partial<LinkerOptions> = {}): { log: PlainLog; linker: PositionLinker; deadLetters: string[] } {
  const log = new PlainLog();
  ingest(lines, log);
  const orders = runProcessor(createOrderManager(), log, ['ws-gateway.order', 'ws-gateway.execution'], [ORDER_EVENTS]);
  const linker = createPositionLinker(options);
  const links = runProcessor(linker, log, LINKER_INPUTS, LINKER_OUTPUTS);
  return { log, linker, deadLetters: [...orders.deadLetters, ...links.deadLetters] };
}
