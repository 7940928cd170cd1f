/*
 * The cores alone: order-manager and position-linker on plain objects, no Kafka, no Avro, one core of the machine.
 * Prints inputs a second of CPU time for each, source records a second for both, and memory, over one simulated session of many
 * assets that is made up as it goes: the peak of the process (simulator and gateway included), and what is live after a
 * collection half way and at the end, which tells whether it grows. The collector comes when it wants to: each part pays for
 * its share of that by what it allocates.
 *
 * --changelog: they tell their changes of state too, as they do where these are stored.
 *
 *   node --import tsx bench/core.ts [--records N] [--assets N] [--horizon-events N] [--horizon-ms N] [--runs N] [--changelog] [--json]
 */
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { RecordTypes } from '../src/domain/records.js';
import { createOrderManager } from '../src/order-manager/order-manager.js';
import { createPositionLinker } from '../src/position-linker/position-linker.js';
import { Merge } from '../src/runtime/merge.js';
import type { Emitter, MergedRecord, Processor } from '../src/runtime/processor.js';
import { Gateway } from '../src/ws-gateway/gateway.js';
import type { SourceWriter } from '../src/ws-gateway/source-writer.js';
import { simulateLines } from '../test/simulator/simulate.js';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' }, assets: { type: 'string', default: '200' }, 'horizon-events': { type: 'string', default: '1000' }, 'horizon-ms': { type: 'string', default: '300000' },
    runs: { type: 'string', default: '3' }, changelog: { type: 'boolean', default: false }, json: { type: 'boolean', default: false },
  },
});
const RECORDS = Number(values.records);
const ASSETS = Number(values.assets);
/** Lines handed over at a time. Few, so that what one part hands to the next is gone soon, as it is where records come and go. */
const CHUNK_LINES = 500;

interface Item {
  readonly topic: string;
  readonly partition: 0;
  readonly offset: number;
  readonly eventMs: number;
  effectiveMs: number;
  readonly type: string;
  readonly value: unknown;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Memory in use after a collection, in MB. */
function liveMb(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
}

/** A processor behind its merge. */
class Stage {
  inputs = 0;
  cpuMs = 0;
  readonly #merge: Merge<Item>;
  readonly #offsets: number[];
  readonly #topics: readonly string[];
  readonly #processor: Processor;
  readonly #emitter: Emitter;
  readonly #forward: (watermarkMs: number) => void;
  #forwarded = -1;

  constructor(processor: Processor, topics: readonly string[], emitter: Emitter, forward: (watermarkMs: number) => void) {
    this.#merge = new Merge<Item>(topics.length);
    this.#offsets = topics.map(() => 0);
    this.#topics = topics;
    this.#processor = processor;
    this.#emitter = emitter;
    this.#forward = forward;
  }

  push(topic: string, type: string, value: unknown, eventMs: number): void {
    const input = this.#topics.indexOf(topic);
    const offset = this.#offsets[input]!++;
    if (type === 'Watermark') this.#merge.pushWatermark(input, offset, (value as RecordTypes['Watermark']).watermark_at);
    else {
      this.inputs += 1;
      this.#merge.pushRecord(input, offset, eventMs, { topic, partition: 0, offset, eventMs, effectiveMs: 0, type, value });
    }
  }

  run(): void {
    const start = process.cpuUsage();
    this.#merge.take({
      record: (item, _input, effectiveMs) => {
        item.effectiveMs = effectiveMs;
        this.#processor.process(item as unknown as MergedRecord, this.#emitter);
      },
      watermark: (mergedMs) => {
        const watermarkMs = this.#processor.advance(mergedMs, this.#emitter);
        if (watermarkMs > this.#forwarded) this.#forward((this.#forwarded = watermarkMs));
      },
    });
    this.#processor.takeChanges();
    const used = process.cpuUsage(start);
    this.cpuMs += (used.user + used.system) / 1000;
  }
}

/** What a stage did; not the stage, whose state would stay in memory through the runs that follow. */
interface StageWork {
  readonly inputs: number;
  readonly cpuMs: number;
}

interface RunWork {
  readonly orders: StageWork;
  readonly linker: StageWork;
  readonly source: number;
  readonly outputs: number;
  readonly peakMb: number;
  readonly liveHalfMb: number;
  readonly liveMb: number;
}

function run(seed: number): RunWork {
  let outputs = 0;
  const linker = new Stage(
    createPositionLinker({ horizonEvents: Number(values['horizon-events']), horizonMs: Number(values['horizon-ms']) }, values.changelog), ['order-manager.order_events', 'ws-gateway.position'],
    { emit: () => { outputs += 1; }, deadLetter: () => {} }, () => {},
  );
  const orders = new Stage(
    createOrderManager({ horizonMs: Number(values['horizon-ms']) }, values.changelog), ['ws-gateway.order', 'ws-gateway.execution'],
    { emit: (topic, _key, type, value, eventMs) => linker.push(topic, type, value, eventMs), deadLetter: () => {} },
    (watermarkMs) => linker.push('order-manager.order_events', 'Watermark', { watermark_at: watermarkMs }, watermarkMs),
  );
  const writer: SourceWriter = {
    write: (topic, _partition, _key, type, value, timestampMs) => (topic === 'ws-gateway.position' ? linker : orders).push(topic, type, value, timestampMs),
    writeRaw: () => {}, drain: async () => {}, flush: async () => {},
  };
  const gateway = new Gateway({ account: 'bench', partitions: 1, partitionOf: () => 0, skewAllowanceMs: 500, joinWindowMs: 5_000 }, writer);
  let lineNumber = 0;
  let peakMb = 0;
  let liveHalfMb: number | null = null;
  for (const line of simulateLines({ seed, assets: ASSETS, orders: RECORDS, meanGapMs: 5 })) {
    const { receivedAt, frame } = JSON.parse(line) as { receivedAt: number; frame: unknown };
    gateway.accept({ kind: 'frame', receivedAtMs: receivedAt, frame, account: null, raw: new Uint8Array(0), lineNumber: ++lineNumber });
    if (lineNumber % CHUNK_LINES !== 0) continue;
    orders.run();
    linker.run();
    peakMb = Math.max(peakMb, process.memoryUsage().rss / 2 ** 20);
    const made = Object.values(gateway.counts.records).reduce((sum, count) => sum + count, 0);
    if (made >= RECORDS / 2) liveHalfMb ??= liveMb();
    if (made >= RECORDS) break;
  }
  const liveEndMb = liveMb();
  gateway.finish(false);
  orders.run();
  linker.run();
  const source = Object.values(gateway.counts.records).reduce((sum, count) => sum + count, 0);
  const workOf = ({ inputs, cpuMs }: Stage): StageWork => ({ inputs, cpuMs });
  return { orders: workOf(orders), linker: workOf(linker), source, outputs, peakMb, liveHalfMb: liveHalfMb ?? liveEndMb, liveMb: liveEndMb };
}

function median(numbers: number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}

const rates = { orders: [] as number[], linker: [] as number[], both: [] as number[], peakMb: [] as number[], liveHalfMb: [] as number[], liveMb: [] as number[] };
for (let i = 1; i <= Number(values.runs); i++) {
  const { orders, linker, source, outputs, ...memory } = run(i);
  rates.orders.push((orders.inputs / orders.cpuMs) * 1000);
  rates.linker.push((linker.inputs / linker.cpuMs) * 1000);
  rates.both.push((source / (orders.cpuMs + linker.cpuMs)) * 1000);
  rates.peakMb.push(memory.peakMb);
  rates.liveHalfMb.push(memory.liveHalfMb);
  rates.liveMb.push(memory.liveMb);
  process.stderr.write(`run ${i}: order-manager ${orders.inputs} inputs ${Math.round(orders.cpuMs)} ms CPU; linker ${linker.inputs} inputs ${outputs} outputs ${Math.round(linker.cpuMs)} ms CPU; peak ${Math.round(memory.peakMb)} MB, live ${Math.round(memory.liveHalfMb)} MB half way, ${Math.round(memory.liveMb)} MB at the end\n`);
}
const result = {
  order_manager_records_per_cpu_second: Math.round(median(rates.orders)),
  position_linker_records_per_cpu_second: Math.round(median(rates.linker)),
  both_records_per_cpu_second: Math.round(median(rates.both)),
  peak_rss_mb: Math.round(median(rates.peakMb)),
  live_half_way_mb: Math.round(median(rates.liveHalfMb)),
  live_mb: Math.round(median(rates.liveMb)),
};
process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : `${Object.entries(result).map(([name, value]) => `${name} ${value}`).join('\n')}\n`);
