import { topicName } from '../../src/config/namespace.js';
import { parseDecimal } from '../../src/domain/decimal.js';
import { KafkaLog } from '../../src/kafka/kafka-log.js';
import type { LogRecord } from '../../src/kafka/record.js';
import { openDatabase, type Database } from '../../src/postgres/database.js';
import type { Cell, Table } from '../../src/postgres/table.js';
import { openCodec } from '../../src/schema-registry/open-codec.js';
import { declaredTopics } from '../../src/topic-apply/declared-topics.js';
import { SOURCE_TOPICS } from '../../src/ws-gateway/gateway.js';
import { ingestIntoMemory } from '../../src/replay/capture-source.js';
import { MemoryLog } from '../../src/runtime/memory-log.js';
import { consoleConsume, listTransactions, printedBytes, type PrintedRecord } from '../kafka/kafka-tools.js';
import { COMPACTED_TOPICS, DEAD_LETTER_TOPICS, digestOf, EVENT_TOPICS, expectedOf, PIPELINE, recordsOf, type Expected } from './oracle.js';

export interface JudgeOptions {
  readonly addresses: { readonly KAFKA_BROKERS: string; readonly SCHEMA_REGISTRY_URL: string; readonly DATABASE_URL: string };
  readonly namespace: string;
  readonly partitions: number;
  /** The correction horizon the roles had. */
  readonly horizonMs: number;
  /** All lines that were played into the source topics. */
  readonly lines: AsyncIterable<string>;
  readonly say: (line: string) => void;
}

export interface Verdict {
  readonly sourceRecords: number;
  readonly outputRecords: number;
  readonly deadLetters: number;
  readonly rows: number;
  /** What should be there and is not, and what is there once too often; a line each place. */
  readonly lost: number;
  readonly doubled: number;
  readonly problems: readonly string[];
}

const READERS = 3;
const IDLE_MS = [1_500, 6_000, 20_000];

/**
 * Compares what a campaign left behind with what the pure core makes of the same source topics: topics as Kafka's own
 * client reads them with read_committed, record by record, and tables row by row. Besides: every line that was played is
 * in the source topics, and no transaction is open.
 */
export async function judge(options: JudgeOptions): Promise<Verdict> {
  const { addresses, namespace, partitions, say } = options;
  const log = new KafkaLog({ brokers: addresses.KAFKA_BROKERS.split(','), clientId: 'chaos-judge' });
  const database = openDatabase({ databaseUrl: addresses.DATABASE_URL, schema: namespace });
  try {
    const judging = new Judging(options, log, database);
    const codec = await openCodec({ registryUrl: addresses.SCHEMA_REGISTRY_URL, namespace, topics: declaredTopics() });
    say('judge: the pure core over the source topics');
    const expected = await expectedOf(log, codec, namespace, partitions, options.horizonMs);
    if (expected.heldRecords > 0) judging.problems.push(`${expected.heldRecords} records wait for a watermark: the session was not closed`);
    await judging.sources(codec);
    await judging.transactions();
    say('judge: topics, read by the Java client with read_committed');
    await judging.topics(expected);
    say('judge: tables');
    await judging.tables(expected);
    const { lost, doubled, problems, outputRecords, deadLetters, rows } = judging;
    return { sourceRecords: expected.sourceRecords, outputRecords, deadLetters, rows, lost, doubled, problems };
  } finally {
    await database.close();
    await log.close();
  }
}

class Judging {
  lost = 0;
  doubled = 0;
  outputRecords = 0;
  deadLetters = 0;
  rows = 0;
  readonly problems: string[] = [];
  readonly #options: JudgeOptions;
  readonly #log: KafkaLog;
  readonly #database: Database;

  constructor(options: JudgeOptions, log: KafkaLog, database: Database) {
    this.#options = options;
    this.#log = log;
    this.#database = database;
  }

  /** Every row of every line that was played is in the source topics, once at least. */
  async sources(codec: Parameters<typeof ingestIntoMemory>[2]): Promise<void> {
    const { lines, namespace, partitions } = this.#options;
    const memory = new MemoryLog({ defaultPartitions: partitions });
    const played: string[] = [];
    for await (const line of lines) played.push(line);
    await ingestIntoMemory({ lines: played }, memory, codec, { account: null, partitions, skewAllowanceMs: 500, joinWindowMs: PIPELINE.joinWindowMs, continues: false });
    for (const topic of SOURCE_TOPICS) {
      for (let partition = 0; partition < partitions; partition++) {
        const there = new Set<string>();
        for await (const record of recordsOf(this.#log, { topic: topicName(namespace, topic), partition })) there.add(digest(record));
        // Watermarks have no key; where they stand depends on how often a piece was begun.
        const missing = memory.records(topic, partition).filter((record) => record.key !== null && !there.has(digest(record)));
        this.#note(`${topic}/${partition}`, missing.length, 0);
      }
    }
  }

  async transactions(): Promise<void> {
    const { addresses, namespace, partitions } = this.#options;
    const brokers = addresses.KAFKA_BROKERS.split(',');
    const places = declaredTopics().flatMap(({ name }) => Array.from({ length: partitions }, (_, partition) => ({ topic: topicName(namespace, name), partition })));
    const [stable, ends] = await Promise.all([this.#log.lastStableOffsets(places), this.#log.endOffsets(places)]);
    stable.forEach(({ topic, partition, offset }, index) => {
      if (offset !== ends[index]?.offset) this.problems.push(`a transaction is open in ${topic}/${partition}: stable up to ${offset}, written up to ${ends[index]?.offset}`);
    });
    for (const [id, state] of await listTransactions(brokers)) {
      if (id.startsWith(`${namespace}.`) && !['Empty', 'CompleteCommit', 'CompleteAbort'].includes(state)) this.problems.push(`the transaction of ${id} is ${state}`);
    }
  }

  async topics({ log }: Expected): Promise<void> {
    const { partitions } = this.#options;
    const queue = [...EVENT_TOPICS, ...COMPACTED_TOPICS, ...DEAD_LETTER_TOPICS];
    const work = async (): Promise<void> => {
      for (let topic = queue.shift(); topic !== undefined; topic = queue.shift()) {
        const read = await this.#read(topic);
        for (let partition = 0; partition < partitions; partition++) {
          const isCompacted = COMPACTED_TOPICS.includes(topic);
          const wanted = log.records(topic, partition);
          const expected = isCompacted ? newestOfKeys(wanted) : wanted.map(digest);
          this.#compare(`${topic}/${partition}`, expected, read[partition] ?? [], !isCompacted && !DEAD_LETTER_TOPICS.includes(topic));
        }
      }
    };
    await Promise.all(Array.from({ length: READERS }, work));
  }

  async tables({ tables }: Expected): Promise<void> {
    for (const { table, rows } of tables) {
      const read = await this.#rows(table);
      this.rows += read.length;
      this.#compare(`table ${table.name}`, rows.map((row) => rowText(table, row)), read, false);
    }
  }

  /** Records of each partition as digests; of compacted topics those of each key's newest record. */
  async #read(topic: string): Promise<readonly (readonly string[])[]> {
    const { addresses, namespace, partitions } = this.#options;
    const isCompacted = COMPACTED_TOPICS.includes(topic);
    const read = Array.from({ length: partitions }, () => new Map<string | number, string>());
    const name = topicName(namespace, topic);
    const ends = await this.#log.lastStableOffsets(read.map((_, partition) => ({ topic: name, partition })));
    if (ends.every(({ offset }) => offset === 0)) return read.map(() => []);
    let there = 0;
    for (const [partition] of read.entries()) for await (const _ of recordsOf(this.#log, { topic: name, partition })) there++;
    let seen = 0;
    // The tool ends when nothing came for a while, which on a busy machine may be before anything did: then it is asked once more.
    for (const idleMs of IDLE_MS) {
      seen = 0;
      for (const records of read) records.clear();
      await consoleConsume(addresses.KAFKA_BROKERS.split(','), name, ({ partition, offset, timestampMs, key, value }: PrintedRecord) => {
        seen++;
        read[partition]?.set(isCompacted ? key : offset, digestOf(timestampMs, key, value));
      }, idleMs);
      if (seen >= there) break;
    }
    if (DEAD_LETTER_TOPICS.includes(topic)) this.deadLetters += seen;
    else this.outputRecords += seen;
    return read.map((records) => [...records.values()]);
  }

  async #rows(table: Table<never>): Promise<readonly string[]> {
    const columns = shownColumns(table);
    const rows = await this.#database.query<Record<string, Cell>>(`SELECT ${columns.map(({ name }) => `"${name}"`).join(', ')} FROM ${table.name}`);
    return rows.map((row) => columns.map(({ name, type }) => cellText(type, row[name] as Cell)).join('|'));
  }

  #compare(place: string, expected: readonly string[], found: readonly string[], isOrdered: boolean): void {
    const left = new Map<string, number>();
    for (const one of expected) left.set(one, (left.get(one) ?? 0) + 1);
    let doubled = 0;
    for (const one of found) {
      const count = left.get(one) ?? 0;
      if (count === 0) doubled++;
      else left.set(one, count - 1);
    }
    const lost = [...left.values()].reduce((sum, count) => sum + count, 0);
    this.#note(place, lost, doubled);
    if (lost === 0 && doubled === 0 && isOrdered && found.some((one, index) => one !== expected[index])) this.problems.push(`${place}: not in the right order`);
  }

  #note(place: string, lost: number, doubled: number): void {
    this.lost += lost;
    this.doubled += doubled;
    if (lost + doubled > 0) this.problems.push(`${place}: ${lost} lost, ${doubled} too many`);
  }
}

function digest({ timestampMs, key, value }: LogRecord): string {
  return digestOf(timestampMs, printedBytes(key), printedBytes(value));
}

function newestOfKeys(records: readonly LogRecord[]): string[] {
  return [...new Map(records.map((record) => [printedBytes(record.key), digest(record)])).values()];
}

/** Not the columns that are a sink's own notes. */
function shownColumns(table: Table<never>): Table<never>['columns'] {
  return table.columns.filter(({ isInternal }) => isInternal !== true);
}

function rowText(table: Table<never>, row: readonly Cell[]): string {
  return shownColumns(table).map((column) => cellText(column.type, row[table.columns.indexOf(column)] as Cell)).join('|');
}

/** One text for one value, wherever it comes from. */
function cellText(type: string, cell: unknown): string {
  if (cell === null || cell === undefined) return 'null';
  if (type === 'numeric') return String(typeof cell === 'bigint' ? cell : parseDecimal(String(cell)));
  if (type === 'timestamptz') return String(typeof cell === 'number' ? cell : Date.parse(String(cell)));
  if (type === 'jsonb') return canonical(typeof cell === 'string' ? JSON.parse(cell) : cell);
  return typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join()}}`;
}
