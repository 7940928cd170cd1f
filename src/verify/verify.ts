import { topicName } from '../config/namespace.js';
import type { Log } from '../kafka/log.js';
import { partitionOf } from '../kafka/partitioner.js';
import type { Database } from '../postgres/database.js';
import { readPipelineSettings } from '../postgres/pipeline-settings.js';
import { breachKey, Findings, type Breach, type CheckName } from './breach.js';
import { judgeBook } from './judge.js';
import { checkOrders } from './order-checks.js';
import { partitionEvidence, type PartitionSettings } from './partition-evidence.js';
import { readTableSnapshot, storedAssets, type TableSnapshot } from './table-snapshot.js';
import { readTopic, type TopicSource } from './topic-reader.js';
import { READ_TOPICS, TopicState } from './topic-state.js';

export interface VerifyOptions extends TopicSource {
  readonly database: Database;
  /** Only this asset; null for all. */
  readonly asset: string | null;
  readonly partitions: number;
  readonly signal?: AbortSignal;
  /** Told after each partition. */
  readonly onPartition?: (done: number, of: number) => void;
}

export interface VerifyReport {
  readonly breaches: readonly Breach[];
  /** How often each check was made. */
  readonly made: Readonly<Record<CheckName, number>>;
  readonly books: number;
  readonly orders: number;
  /** Records that tables have not taken in yet: judged as the topics say. */
  readonly recordsBehind: number;
  /** Position updates and fills that wait for a watermark: left out. */
  readonly waiting: number;
  /** Whether it was stopped before all was looked at. */
  readonly isInterrupted: boolean;
}

/** Looks again at a partition that moved while it was read. */
const MAX_ATTEMPTS = 5;
const DEFAULTS = { policy: 'pro-rata', joinWindowMs: 5_000 };

/** Judges tables and topics, partition by partition, so that memory holds one partition at a time. */
export async function verify(options: VerifyOptions): Promise<VerifyReport> {
  const { database, asset, partitions, signal, onPartition } = options;
  const settings = await readPipelineSettings(database);
  const policy = settings['policy'] ?? DEFAULTS.policy;
  const joinWindowMs = Number(settings['joinWindowMs'] ?? DEFAULTS.joinWindowMs);
  const assets = asset === null ? await storedAssets(database) : [asset];
  const wanted = asset === null ? Array.from({ length: partitions }, (_, partition) => partition) : [partitionOf(asset, partitions)];
  const total = new Findings();
  let books = 0;
  let orders = 0;
  let recordsBehind = 0;
  let waiting = 0;
  for (const [done, partition] of wanted.entries()) {
    if (signal?.aborted === true) break;
    const own = assets.filter((name) => partitionOf(name, partitions) === partition);
    const judged = await verifyPartition(options, own, { partition, policy, joinWindowMs });
    total.add(judged.findings);
    books += judged.books;
    orders += judged.orders;
    recordsBehind += judged.recordsBehind;
    waiting += judged.waiting;
    onPartition?.(done + 1, wanted.length);
  }
  return { breaches: total.breaches, made: total.made, books, orders, recordsBehind, waiting, isInterrupted: signal?.aborted === true };
}

export interface PartitionJudgement {
  readonly findings: Findings;
  readonly books: number;
  readonly orders: number;
  readonly recordsBehind: number;
  readonly waiting: number;
}

/**
 * A running service writes while we read, and topics cannot be read as of one moment. So a breach found while something moved
 * counts only if it is there each time we look.
 */
async function verifyPartition(options: VerifyOptions, assets: readonly string[], settings: PartitionSettings): Promise<PartitionJudgement> {
  let persistent = null as ReadonlySet<string> | null;
  for (let attempt = 1; ; attempt++) {
    const snapshot = await readTableSnapshot(options.database, assets);
    const ends = await endsOf(options.log, options, settings.partition);
    const judged = await judgePartition(options, options.asset, snapshot, ends, settings);
    const { breaches } = judged.findings;
    if (breaches.length === 0) return judged;
    const keys: ReadonlySet<string> = new Set(breaches.map(breachKey));
    persistent = persistent === null ? keys : new Set([...persistent].filter((key) => keys.has(key)));
    const later = await endsOf(options.log, options, settings.partition);
    const stands = later.every((end, index) => end === ends[index]);
    if (stands) return judged;
    if (attempt < MAX_ATTEMPTS && options.signal?.aborted !== true) continue;
    const sure = breaches.filter((breach) => (persistent as ReadonlySet<string>).has(breachKey(breach)));
    breaches.splice(0, breaches.length, ...sure);
    return judged;
  }
}

async function endsOf(log: Log, { namespace }: TopicSource, partition: number): Promise<readonly number[]> {
  const ends = await log.lastStableOffsets(READ_TOPICS.map((topic) => ({ topic: topicName(namespace, topic), partition })));
  return ends.map(({ offset }) => offset);
}

/** Judges the tables as of a snapshot beside the topics up to `ends`, in the order of READ_TOPICS. */
export async function judgePartition(source: TopicSource, asset: string | null, snapshot: TableSnapshot, ends: readonly number[], settings: PartitionSettings): Promise<PartitionJudgement> {
  const { partition } = settings;
  const state = new TopicState(asset);
  for (const [index, topic] of READ_TOPICS.entries()) await readTopic(source, topic, partition, ends[index] as number, (record) => state.take(topic, record));
  const findings = new Findings();
  const { books, markets, waiting } = partitionEvidence(snapshot, state, settings, findings);
  for (const book of books) judgeBook(book, findings);
  for (const market of markets) checkOrders(market, findings);
  const behind = snapshot.offsets.filter((offset) => offset.partition === partition).map(({ topic, nextOffset }) => Math.max(0, (ends[READ_TOPICS.indexOf(topic)] ?? 0) - nextOffset));
  return { findings, books: books.length, orders: markets.reduce((sum, { orders }) => sum + orders.length, 0), waiting, recordsBehind: behind.reduce((sum, count) => sum + count, 0) };
}
