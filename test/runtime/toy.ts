import type { RecordName, RecordTypes } from '../../src/domain/records.js';
import type { OutgoingRecord } from '../../src/kafka/record.js';
import type { Emitter, MergedRecord, Processor, StateChange, Topology } from '../../src/runtime/processor.js';
import type { TaskCodec } from '../../src/runtime/arrival.js';

/*
 * A role small enough to see through: it counts records per asset, announces each one with its count, keeps the latest
 * in a compacted topic, and holds its watermark back by one record's time while an asset's count is odd.
 */

export interface ToyValue {
  readonly asset: string;
  readonly note: string;
}

/** Two types of the project stand in for whatever a toy needs; its codec is JSON. */
export const TOY = 'OrderUpdate' satisfies RecordName;
export const toyValue = (value: object): RecordTypes[typeof TOY] => value as RecordTypes[typeof TOY];

export const toyCodec: TaskCodec = {
  decode: (bytes) => {
    const [type, value] = JSON.parse(Buffer.from(bytes).toString('utf8')) as [RecordName, RecordTypes[RecordName]];
    return { type, value };
  },
  encode: (type, value) => Buffer.from(JSON.stringify([type, value])),
};

class ToyProcessor implements Processor {
  private readonly counts = new Map<string, { count: number; lastMs: number }>();
  private readonly changed = new Set<string>();

  process(record: MergedRecord, emitter: Emitter): void {
    const { asset, note } = record.value as unknown as ToyValue;
    if (note === 'throw') throw new RangeError('the toy broke');
    if (note === 'refuse') {
      emitter.deadLetter('ToyRefusal', `refused ${asset}`);
      return;
    }
    const count = (this.counts.get(asset)?.count ?? 0) + 1;
    this.counts.set(asset, { count, lastMs: record.effectiveMs });
    this.changed.add(asset);
    const place = `${record.topic}/${record.offset}`;
    emitter.emit('toy.out', asset, TOY, toyValue({ asset, count, place, eventMs: record.eventMs }), record.effectiveMs);
    if (count % 3 === 0) emitter.emit('toy.table', `${asset}|x`, TOY, count % 6 === 0 ? null : toyValue({ asset, count }), record.effectiveMs);
  }

  advance(watermarkMs: number, emitter: Emitter): number {
    let forwardMs = watermarkMs;
    for (const [asset, { count, lastMs }] of [...this.counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (count >= 10 && lastMs < watermarkMs) {
        this.counts.delete(asset);
        this.changed.add(asset);
        emitter.emit('toy.out', asset, TOY, toyValue({ asset, closed: count }), watermarkMs);
      } else if (count % 2 === 1) forwardMs = Math.min(forwardMs, Math.max(0, lastMs - 1));
    }
    return forwardMs;
  }

  takeChanges(): StateChange[] {
    const changes = [...this.changed].map((key) => {
      const state = this.counts.get(key);
      return { key, value: state === undefined ? null : Buffer.from(JSON.stringify(state)) };
    });
    this.changed.clear();
    return changes;
  }

  restore(key: string, value: Uint8Array): void {
    this.counts.set(key, JSON.parse(Buffer.from(value).toString('utf8')) as { count: number; lastMs: number });
  }

  finishRestore(): void {}
}

export const toyTopology: Topology = {
  role: 'toy',
  inputs: ['toy.left', 'toy.right'],
  outputs: ['toy.out'],
  compactedOutputs: ['toy.table'],
  changelog: 'toy.changelog',
  createProcessor: () => new ToyProcessor(),
};

export const TOY_TOPICS = ['toy.left', 'toy.right', 'toy.out', 'toy.table', 'toy.changelog', 'toy.left.dead_letters', 'toy.right.dead_letters'];

export function toyRecord(topic: string, asset: string, timestampMs: number, note = '', partition = 0): OutgoingRecord {
  return { topic, partition, timestampMs, key: Buffer.from(asset), value: Buffer.from(JSON.stringify([TOY, { asset, note }])) };
}

export function toyWatermark(topic: string, timestampMs: number, partition = 0): OutgoingRecord {
  return { topic, partition, timestampMs, key: null, value: Buffer.from(JSON.stringify(['Watermark', { watermark_at: timestampMs }])) };
}
