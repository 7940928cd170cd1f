import type { RecordCodec } from '../../src/avro/record-codec.js';
import { parseDecimal } from '../../src/domain/decimal.js';
import type { RecordName, RecordTypes } from '../../src/domain/records.js';
import type { OutgoingRecord } from '../../src/kafka/record.js';
import type { Database } from '../../src/postgres/database.js';
import { SinkRunner, type SinkOptions } from '../../src/postgres/sink-runner.js';
import type { SinkRole } from '../../src/postgres/sink.js';
import { MemoryLog } from '../../src/runtime/memory-log.js';
import type { LifecycleLog } from '../../src/runtime/role-runner.js';
import { ROW_SOURCES } from '../../src/table-sinks/row-sources.js';
import { RowTables } from '../../src/table-sinks/row-tables.js';
import { cycle, id, link, order, position, T0 } from '../table-sinks/records.js';

export const PARTITIONS = 3;
export const DELTAS_TOPIC = 'position-linker.prediction_deltas';

/** Numbers that look random and are the same in every run. */
export function numbers(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * bound);
  };
}

/** A memory log with the topics that sinks read, and what was put into them. */
export class SinkRig {
  readonly log = new MemoryLog({ hasMarkers: true });
  readonly expected = new RowTables();
  /** Records by topic and partition, watermarks not counted. */
  readonly counts = new Map<string, number>();
  private readonly codec: RecordCodec;

  constructor(codec: RecordCodec) {
    this.codec = codec;
    for (const topic of [...ROW_SOURCES.map((source) => source.topic), DELTAS_TOPIC]) {
      this.log.createTopic(topic, PARTITIONS);
      this.log.createTopic(`${topic}.dead_letters`, PARTITIONS);
    }
  }

  record<N extends RecordName>(topic: string, partition: number, type: N, value: RecordTypes[N], timestampMs: number): OutgoingRecord {
    if (type !== 'Watermark') {
      this.expected.apply(type, value);
      this.counts.set(`${topic}|${partition}`, (this.counts.get(`${topic}|${partition}`) ?? 0) + 1);
    }
    const asset = (value as { readonly asset?: string }).asset;
    return { topic, partition, timestampMs, key: asset === undefined ? null : Buffer.from(asset), value: this.codec.encode(type, value) };
  }

  /** One upstream commit with a few records of every table. */
  commitSome(random: (bound: number) => number, step: number): void {
    const partition = random(PARTITIONS);
    const asset = `ASSET${partition}`;
    const at = T0 + step * 10;
    const name = `${asset}-${random(40)}`;
    const records: OutgoingRecord[] = [];
    const put = <N extends RecordName>(topic: string, type: N, value: RecordTypes[N]): number => records.push(this.record(topic, partition, type, value, at));
    const row = { asset, revision: step, known_at: at };
    for (let n = random(4); n > 0; n--) put('position-linker.position_orders', 'PositionOrder', link({ ...row, id: id(`${name}${n}`), retracted: random(4) === 0 }));
    put('position-linker.position_cycles', 'PositionCycle', cycle({ ...row, position_id: id(name), verified_to_seq: step, retracted: random(6) === 0 }));
    put('order-manager.order_events', 'Order', order({ asset, order_id: name, revision: step }));
    put('position-manager.positions', 'Position', position({ asset, version: step, updated_at: at }));
    for (let n = random(5); n > 0; n--) this.delta(records, partition, name, random, at);
    for (const topic of ['position-linker.position_orders', 'position-linker.position_cycles', DELTAS_TOPIC]) put(topic, 'Watermark', { watermark_at: at });
    this.log.append(records, true);
  }

  private delta(records: OutgoingRecord[], partition: number, name: string, random: (bound: number) => number, at: number): void {
    const amount = parseDecimal(String(1 + random(9)));
    const value: RecordTypes['PredictionDelta'] = {
      id: id(`${name} ${at} ${records.length}`), signal_id: random(3) === 0 ? null : `signal${random(3)}`, position_id: id(name), account: 'main', category: 'linear',
      asset: `ASSET${partition}`, position_idx: 0, side: 'Buy', kind: 'entry', quantity: amount, price: parseDecimal('2'), value: amount * 2n, realized_pnl: 0n,
      fee: parseDecimal('0.01'), funding: 0n, exit_signal_id: null, exit_reason: null, link_id: id('link'), cash_id: null, reverses: null, seq: 1, executed_at: at, known_at: at,
    };
    records.push(this.record(DELTAS_TOPIC, partition, 'PredictionDelta', value, at));
  }

  start(sink: SinkRole, database: Database, options: Partial<SinkOptions> = {}): SinkRunner {
    const runner = new SinkRunner({
      sink, log: this.log, codec: this.codec, database, namespace: null, commitIntervalMs: 2, logger: silent, pauseMs: () => 5, ...options,
    });
    runner.start();
    return runner;
  }
}

export const silent: LifecycleLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Waits until it is true; fails after a minute. */
export async function until(condition: () => Promise<boolean> | boolean, what: string): Promise<void> {
  for (const end = performance.now() + 60_000; !(await condition()); ) {
    if (performance.now() > end) throw new Error(`waited a minute for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
