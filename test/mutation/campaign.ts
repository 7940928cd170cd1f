import { PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import { settingsOf } from '../../src/cli/role-table.js';
import type { RecordCodec } from '../../src/avro/record-codec.js';
import { deadLetterTopic } from '../../src/config/namespace.js';
import type { OutgoingRecord } from '../../src/kafka/record.js';
import { ingestIntoMemory } from '../../src/replay/capture-source.js';
import { MemoryPipeline } from '../../src/replay/memory-pipeline.js';
import { MemoryTables } from '../../src/replay/memory-tables.js';
import { MemoryLog } from '../../src/runtime/memory-log.js';
import type { TaskCodec } from '../../src/runtime/arrival.js';
import type { Emitter, Processor, Topology } from '../../src/runtime/processor.js';
import { SOURCE_TOPICS } from '../../src/ws-gateway/gateway.js';
import { PIPELINE, TOPOLOGIES } from '../chaos/oracle.js';
import { Random } from '../simulator/random.js';
import { scenario } from '../simulator/scenarios.js';
import { simulateLines } from '../simulator/simulate.js';
import { FIELD_MUTATORS, MUTATOR_NAMES, MUTATORS } from './mutators.js';

/** What became of the records that a role could read. */
export interface RoleAccount {
  /** Something was written because of it. */
  outputs: number;
  /** Nothing was written yet; it is in the state. */
  kept: number;
  /** Said nothing new of an order, fill or book that is known: a copy, or something older; or it is not for this role. */
  noted: number;
  /** Could be read but not used: a dead letter all the same. */
  refused: number;
  /** The processor threw: a mistake of ours, whatever the record. */
  threw: number;
}

export interface MutationReport {
  mutated: number;
  readonly byMutator: Map<string, number>;
  readonly roles: Map<string, RoleAccount>;
  /** Records that roles read, each role's own counted, of which so many were watermarks and so many became dead letters. */
  read: number;
  watermarks: number;
  deadLetters: number;
  discrepancies: number;
  rows: number;
  longestMs: number;
  longestAt: string;
  /** Whatever must not be; a line each. */
  readonly problems: string[];
}

const PARTITIONS = 2;
const LONGEST_MS = 50;
/** Of each row that a watermark causes to be written. */
const MS_A_ROW = 0.3;
const FAR_TIME = 'a far time';
const FAR_TIME_SHARE = 0.001;
const EVEN_MUTATORS = [...MUTATOR_NAMES.filter((name) => name !== FAR_TIME), ...Object.keys(FIELD_MUTATORS)];
const LOOK_EVERY_MS = 10;
const DAY_MS = 86_400_000;
/** Of the records as they were so many stay, and keep the session going. */
const KEPT_SHARE = 0.8;
const MOST_COPIES = 6;

export function emptyReport(): MutationReport {
  return { mutated: 0, byMutator: new Map(), roles: new Map(TOPOLOGIES.map(({ role }) => [role, { outputs: 0, kept: 0, noted: 0, refused: 0, threw: 0 }])), read: 0, watermarks: 0, deadLetters: 0, discrepancies: 0, rows: 0, longestMs: 0, longestAt: '', problems: [] };
}

/** A session whose records are mutated between gateway and roles, through decoders, cores and tables, into the report. */
export async function runSession(codec: RecordCodec, seed: number, orders: number, report: MutationReport): Promise<void> {
  const random = new Random(seed, 31);
  const clean = new MemoryLog({ defaultPartitions: PARTITIONS });
  const lines = [...simulateLines(scenario('everything', seed, { orders, accounts: 2, meanGapMs: 200 }))];
  await ingestIntoMemory({ lines }, clean, codec, { account: null, partitions: PARTITIONS, skewAllowanceMs: 500, joinWindowMs: PIPELINE.joinWindowMs, continues: false });

  const timer = new Timer(report, seed);
  const before = { handled: handledOf(report), refused: refusedOf(report), watermarks: report.watermarks };
  const topologies = TOPOLOGIES.map((topology) => counted(topology, report.roles.get(topology.role) as RoleAccount, timer));
  const pipeline = new MemoryPipeline({ topologies, partitions: PARTITIONS, codec: timedCodec(codec, timer, report), settings: settingsOf(PIPELINE) });
  const tables = new MemoryTables(pipeline.log, codec, PARTITIONS);
  for (const topic of SOURCE_TOPICS) {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const records = clean.records(topic, partition);
      pipeline.log.append(records.flatMap((record) => mutated(codec, record, records, random, report)));
    }
  }
  // What a far time puts off is released as time goes on, a second at a time; a day later all of it is forgotten.
  const endMs = clean.records(SOURCE_TOPICS[0] as string, 0).at(-1)?.timestampMs ?? 0;
  const closing = [...Array.from({ length: 75 }, (_, second) => second * 1_000), DAY_MS, 2 * DAY_MS];
  for (const afterMs of closing) {
    const watermark_at = endMs + afterMs;
    pipeline.log.append(SOURCE_TOPICS.flatMap((topic) => Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition, timestampMs: watermark_at, key: null, value: codec.encode('Watermark', { watermark_at }) }))));
  }
  pipeline.run();
  tables.takeIn();
  await timer.settle();
  report.rows += tables.tables().reduce((sum, { rows }) => sum + rows.length, 0);
  report.discrepancies += Array.from({ length: PARTITIONS }, (_, partition) => pipeline.log.records('position-linker.discrepancies', partition).filter(({ key }) => key !== null).length).reduce((a, b) => a + b, 0);
  const read = TOPOLOGIES.flatMap(({ inputs }) => inputs).reduce((sum, topic) => sum + pipeline.log.totalRecords(topic), 0);
  const deadLetters = [...new Set(TOPOLOGIES.flatMap(({ inputs }) => inputs))].reduce((sum, topic) => sum + pipeline.log.totalRecords(deadLetterTopic(topic)), 0);
  report.read += read;
  report.deadLetters += deadLetters;
  const handled = handledOf(report) - before.handled;
  const unreadable = deadLetters - (refusedOf(report) - before.refused);
  const watermarks = report.watermarks - before.watermarks;
  if (read !== watermarks + handled + unreadable) report.problems.push(`seed ${seed}: of ${read} records ${watermarks} are watermarks, ${handled} were handled, ${unreadable} could not be read: ${read - watermarks - handled - unreadable} vanished`);
  if (pipeline.heldRecords > 0) report.problems.push(`seed ${seed}: ${pipeline.heldRecords} records still wait`);
}

function handledOf({ roles }: MutationReport): number {
  return [...roles.values()].reduce((sum, { outputs, kept, noted, refused }) => sum + outputs + kept + noted + refused, 0);
}

function refusedOf({ roles }: MutationReport): number {
  return [...roles.values()].reduce((sum, { refused }) => sum + refused, 0);
}

/** The record as it was, mostly, and changed copies of it; watermarks pass. */
function mutated(codec: RecordCodec, record: OutgoingRecord, records: readonly OutgoingRecord[], random: Random, report: MutationReport): OutgoingRecord[] {
  if (record.key === null) return [record];
  const written = random.chance(KEPT_SHARE) ? [record] : [];
  for (let copies = random.int(0, MOST_COPIES); copies > 0; copies--) {
    // One clock far ahead puts off what follows it for a minute: more of them, and nothing but waiting would be tested.
    const name = random.chance(FAR_TIME_SHARE) ? FAR_TIME : random.pick(EVEN_MUTATORS);
    const other = random.pick(records);
    const changed = name in MUTATORS ? (MUTATORS[name] as (typeof MUTATORS)[string])(record, other, random) : withFields(codec, record, other, name, random);
    if (changed === null) continue;
    written.push(changed);
    report.mutated++;
    report.byMutator.set(name, (report.byMutator.get(name) ?? 0) + 1);
  }
  return written;
}

/** The record with other fields; null where its schema cannot say so. The key follows the asset, or nothing but keys would be tested. */
function withFields(codec: RecordCodec, record: OutgoingRecord, other: OutgoingRecord, name: string, random: Random): OutgoingRecord | null {
  try {
    const { type, value } = codec.decode(record.value as Uint8Array);
    const fields = { ...value } as unknown as Record<string, unknown>;
    FIELD_MUTATORS[name]?.(fields, { ...(codec.decode(other.value as Uint8Array).value as unknown as Record<string, unknown>) }, random);
    return { ...record, key: Buffer.from(String(fields['asset'])), value: codec.encode(type, fields as never) };
  } catch {
    return null;
  }
}

class Timer {
  readonly report: MutationReport;
  readonly #seed: number;
  readonly #slow: { readonly what: string; readonly startedMs: number; readonly endMs: number; readonly tookMs: number; readonly allowedMs: number }[] = [];
  readonly #pauses: PerformanceEntry[] = [];
  readonly #collector = new PerformanceObserver((list) => void this.#pauses.push(...list.getEntries()));
  #slowestMs = 0;
  #lookedMs = performance.now();
  #usage = process.cpuUsage();

  constructor(report: MutationReport, seed: number) {
    this.report = report;
    this.#seed = seed;
    this.#collector.observe({ entryTypes: ['gc'] });
  }

  /** Processor time counts, not the clock: other work of the machine is not the record's. */
  time<T>(what: string, work: () => T, allowedMs: () => number = () => LONGEST_MS): T {
    const startedMs = performance.now();
    if (startedMs - this.#lookedMs > LOOK_EVERY_MS) this.#look(startedMs);
    try {
      return work();
    } finally {
      const tookMs = performance.now() - startedMs;
      if (tookMs > this.#slowestMs || tookMs > LONGEST_MS) this.#note(what, startedMs, tookMs, allowedMs());
    }
  }

  #note(what: string, startedMs: number, clockMs: number, allowedMs: number): void {
    const { user, system } = process.cpuUsage(this.#usage);
    const tookMs = Math.min(clockMs, (user + system) / 1_000);
    this.#slow.push({ what, startedMs, endMs: startedMs + clockMs, tookMs, allowedMs });
    if (allowedMs === LONGEST_MS) this.#slowestMs = Math.max(this.#slowestMs, tookMs);
  }

  /** When the collector's own entries are there: what it took was not the record's either, only its turn had come. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    const pauses = [...this.#pauses, ...this.#collector.takeRecords()].map(({ startTime, duration }) => ({ startMs: startTime, endMs: startTime + duration }));
    this.#collector.disconnect();
    for (const { what, startedMs, endMs, tookMs, allowedMs } of this.#slow) {
      const collectedMs = pauses.reduce((sum, pause) => sum + Math.max(0, Math.min(endMs, pause.endMs) - Math.max(startedMs, pause.startMs)), 0);
      const ownMs = Math.max(0, tookMs - collectedMs);
      if (allowedMs === LONGEST_MS && ownMs > this.report.longestMs) {
        this.report.longestMs = ownMs;
        this.report.longestAt = `${what}, seed ${this.#seed}`;
      }
      if (ownMs > allowedMs) this.report.problems.push(`${what} took ${ownMs.toFixed(0)} ms (seed ${this.#seed})`);
    }
  }

  /** Asking for the processor time takes longer than most records, so it is known only as of a little while ago. */
  #look(nowMs: number): void {
    this.#lookedMs = nowMs;
    this.#usage = process.cpuUsage();
  }
}

function timedCodec(codec: RecordCodec, timer: Timer, report: MutationReport): TaskCodec {
  return {
    decode: (value) => {
      const decoded = timer.time('decoding', () => codec.decode(value));
      if (decoded.type === 'Watermark') report.watermarks++;
      return decoded;
    },
    encode: (type, value) => codec.encode(type, value),
  };
}

/** The topology with a processor that says what became of each record. */
function counted(topology: Topology, account: RoleAccount, timer: Timer): Topology {
  return { ...topology, createProcessor: () => new CountingProcessor(topology.createProcessor(), topology.role, account, timer) };
}

class CountingProcessor implements Processor {
  readonly #inner: Processor;
  readonly #role: string;
  readonly #account: RoleAccount;
  readonly #timer: Timer;
  readonly #known = new Set<string>();
  #changes: ReturnType<Processor['takeChanges']> = [];

  constructor(inner: Processor, role: string, account: RoleAccount, timer: Timer) {
    this.#inner = inner;
    this.#role = role;
    this.#account = account;
    this.#timer = timer;
  }

  process(record: Parameters<Processor['process']>[0], emitter: Emitter): void {
    let written = 0;
    let letters = 0;
    const counting: Emitter = {
      emit: (...parts) => {
        written++;
        emitter.emit(...parts);
      },
      deadLetter: (exception, message) => {
        letters++;
        emitter.deadLetter(exception, message);
      },
    };
    try {
      this.#timer.time(`${this.#role}: a ${record.type}`, () => this.#inner.process(record, counting));
    } catch (error) {
      this.#account.threw++;
      this.#timer.report.problems.push(`${this.#role} threw at a ${record.type}: ${error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 3).join(' ') : String(error)}`);
      throw error;
    }
    const changes = this.#inner.takeChanges();
    this.#changes.push(...changes);
    const subject = subjectOf(record);
    const isKnown = subject === null || this.#known.has(subject);
    if (subject !== null) this.#known.add(subject);
    if (letters > 0) this.#account.refused++;
    else if (written > 0) this.#account.outputs++;
    else if (changes.length > 0) this.#account.kept++;
    else if (isKnown || isPassedOver(this.#role, record)) this.#account.noted++;
    else this.#timer.report.problems.push(`${this.#role}: a ${record.type} left no trace, and nothing was known of ${subject}`);
  }

  advance(watermarkMs: number, emitter: Emitter): number {
    let written = 0;
    const counting: Emitter = {
      emit: (...parts) => {
        written++;
        emitter.emit(...parts);
      },
      deadLetter: (exception, message) => emitter.deadLetter(exception, message),
    };
    // One watermark may decide much at once; what it may take goes by what it decides.
    return this.#timer.time(`${this.#role}: a watermark`, () => this.#inner.advance(watermarkMs, counting), () => LONGEST_MS + written * MS_A_ROW);
  }

  takeChanges(): ReturnType<Processor['takeChanges']> {
    const changes = [...this.#changes, ...this.#inner.takeChanges()];
    this.#changes = [];
    return changes;
  }

  restore(key: string, value: Uint8Array): void {
    this.#inner.restore(key, value);
  }

  finishRestore(): void {
    this.#inner.finishRestore();
  }
}

/** What a record tells of: a fill, an order, a book. */
function subjectOf({ type, value }: Parameters<Processor['process']>[0]): string | null {
  const { account, category, asset, fill_id, exec_id, cash_id, order_id, position_idx } = value as unknown as Readonly<Record<string, unknown>>;
  const own = { Fill: fill_id, Execution: exec_id, ExecutionAnomaly: exec_id, CashEvent: cash_id, OrderUpdate: order_id, Order: order_id, PositionUpdate: position_idx }[type as string];
  return own === undefined ? null : [type, account, category, asset, own].join('|');
}

/** The linker learns from orders only what fills do not say, and takes contracts alone. */
function isPassedOver(role: string, { type, value }: Parameters<Processor['process']>[0]): boolean {
  if (role !== 'position-linker') return false;
  return type === 'Order' || !['linear', 'inverse'].includes(String((value as { readonly category?: unknown }).category));
}
