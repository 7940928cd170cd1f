import type { RecordCodec } from '../avro/record-codec.js';
import { bareTopicName, topicName } from '../config/namespace.js';
import { GuidedError } from '../config/guided-error.js';
import { BROKER_OPTIONS, type BrokerOptions, type Options } from '../config/options.js';
import type { Letter } from '../dead-letters/letter.js';
import { isMeant, type LetterFilter } from '../dead-letters/letter-filter.js';
import { Mailbox } from '../dead-letters/mailbox.js';
import { planReplay, replayLetters, type ReplayOptions } from '../dead-letters/replay-letters.js';
import { clusterAccess } from '../kafka/cluster-access.js';
import type { Log } from '../kafka/log.js';
import { openCodec } from '../schema-registry/open-codec.js';
import { ROW_SOURCES } from '../table-sinks/row-sources.js';
import { newestOfRows, rowOfRecord } from '../table-sinks/superseded.js';
import { defineCommand, type Command } from './command.js';
import { letterJson, letterText, lettersText, replayJson, replayText } from './dlq-text.js';

const DONE = 0;
const SOME_LEFT = 3;
const CLIENT_ID = 'position-linker';
const SUFFIX = '.dead_letters';
const ASKED = ['topic', 'asset', 'key', 'stage', 'exception'] as const;
const WHERE = ['namespace', ...BROKER_OPTIONS] as const;
const NAMES = 'A record is named by its place, TOPIC/PARTITION/OFFSET, as `dlq list` shows it.';

/** `dlq`: records that could not be used, and what to do with them. */
export const dlqCommands: readonly Command[] = [
  defineCommand({
    path: ['dlq', 'list'],
    summary: 'list the records that could not be used, and why',
    details: 'One line a record, however many readers refused it; the newest --limit of them. STATE says whether it was replayed.',
    options: [...ASKED, 'limit', 'json', ...WHERE],
    async run({ options, stdout }) {
      return withLog(options, async ({ log, topics }) => {
        const meant = (await new Mailbox(log, options.namespace, topics).letters()).filter((letter) => isMeant(letter, filterOf(options, [])));
        const shown = meant.sort((a, b) => a.timestampMs - b.timestampMs).slice(-options.limit);
        stdout(options.json ? `${JSON.stringify(shown.map((letter) => letterJson(letter)), null, 2)}\n` : lettersText(shown, meant.length));
        return DONE;
      });
    },
  }),
  defineCommand({
    path: ['dlq', 'show'],
    summary: 'show one such record: why it is there, its headers, its bytes',
    details: `${NAMES} The bytes are shown as hexadecimal and, where they can be read now, as JSON; with --json whole, in base64. Exit code 1 if there is none of this name.`,
    positionals: [{ name: 'RECORD', help: 'TOPIC/PARTITION/OFFSET', count: 'one' }],
    options: ['json', 'registryUrl', ...WHERE],
    async run({ positionals, options, stdout }) {
      return withLog(options, async ({ log, topics }) => {
        const id = bareId(options.namespace, positionals[0] as string);
        const mailbox = new Mailbox(log, options.namespace, topics);
        const letter = (await mailbox.letters()).find((one) => isMeant(one, filterOf(NOTHING_ASKED, [id])));
        if (letter === undefined) throw new GuidedError(`there is no dead letter of ${id}`, 'run `position-linker dlq list` with the same namespace');
        const record = await mailbox.recordOf(letter);
        const value = record?.value ?? null;
        const read = value === null ? { error: 'there is no value' } : await readNow(options.registryUrl, value);
        stdout(options.json ? `${JSON.stringify(letterJson(letter, { value, read }), null, 2)}\n` : letterText(letter, value, read));
        return DONE;
      });
    },
  }),
  defineCommand({
    path: ['dlq', 'replay'],
    summary: 'write such records once more where they came from',
    details:
      `Bytes, key, time and partition are the record's own; a header ${'`__streams.replay.of`'} names the record it repeats. A note behind the letter, in the same transaction, sees to it that ` +
      'a second replay leaves it alone. Left as they are: lines that the gateway could not read (ingest them again once they are mended), and records of a row that a newer record has since replaced.\n' +
      `Without filters and names all are meant. ${NAMES}\nExit codes: 0 all that are meant are replayed, now or before; 3 some were left.`,
    positionals: [{ name: 'RECORD', help: 'TOPIC/PARTITION/OFFSET', count: 'optional' }],
    options: [...ASKED, 'dryRun', 'json', 'registryUrl', ...WHERE],
    async run({ positionals, options, stdout }) {
      const { namespace, dryRun, json, registryUrl } = options;
      return withLog(options, async ({ log, topics }) => {
        const filter = filterOf(options, positionals.map((id) => bareId(namespace, id)));
        const replayOptions: ReplayOptions = { log, namespace, topics, filter, superseded: (letters) => superseded(log, namespace, registryUrl, letters) };
        const plan = await (dryRun ? planReplay(replayOptions) : replayLetters(replayOptions));
        if (filter.ids.length > 0 && plan.replay.length + plan.left.length === 0) throw new GuidedError(`there is no dead letter of ${filter.ids.join()}`, 'run `position-linker dlq list` with the same namespace');
        stdout(json ? `${JSON.stringify(replayJson(plan, dryRun), null, 2)}\n` : replayText(plan, dryRun));
        return plan.left.every(({ because }) => because === 'replayed-before') ? DONE : SOME_LEFT;
      });
    },
  }),
];

type AskedOptions = Pick<Options, (typeof ASKED)[number]> & Partial<Pick<Options, 'namespace'>>;

const NOTHING_ASKED: AskedOptions = { topic: null, asset: null, key: null, stage: null, exception: null };

function filterOf({ topic, asset, key, stage, exception, namespace }: AskedOptions, ids: readonly string[]): LetterFilter {
  return { topic: topic === null ? null : (bareTopicName(namespace ?? null, topic) ?? topic), asset, key, stage, exception, ids };
}

/** Names may be given with the namespace, too. */
function bareId(namespace: Options['namespace'], id: string): string {
  return bareTopicName(namespace, id) ?? id;
}

async function withLog<T>(options: BrokerOptions & Pick<Options, 'namespace'>, work: (open: { readonly log: Log; readonly topics: readonly string[] }) => Promise<T>): Promise<T> {
  // The client of the broker takes longer to load than the rest; help and wrong usage need none of it.
  const [{ KafkaLog }, { TopicAdmin }] = await Promise.all([import('../kafka/kafka-log.js'), import('../kafka/admin.js')]);
  const access = { ...clusterAccess(options), clientId: CLIENT_ID };
  const admin = new TopicAdmin(access);
  const log = new KafkaLog(access);
  try {
    const names = (await admin.topicNames()).filter((name) => name.endsWith(SUFFIX));
    const topics = names.flatMap((name) => bareTopicName(options.namespace, name) ?? []);
    if (topics.length === 0) throw new GuidedError('there are no dead-letter topics', 'run `position-linker setup` with the same namespace first');
    return await work({ log, topics });
  } finally {
    await log.close();
    await admin.close();
  }
}

/** What the bytes say, if they can be read now: a schema may have been registered since. */
async function readNow(registryUrl: string, value: Uint8Array): Promise<{ readonly record: object } | { readonly error: string }> {
  try {
    const codec = await codecOf(registryUrl);
    await codec.learn([value]);
    return { record: codec.decode(value) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function codecOf(registryUrl: string): Promise<RecordCodec> {
  return openCodec({ registryUrl, namespace: null, topics: [] });
}

/** Ids of the letters whose row a newer record has since replaced. */
async function superseded(log: Log, namespace: Options['namespace'], registryUrl: string, letters: readonly Letter[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const rows = letters.filter(({ origin }) => ROW_SOURCES.some(({ topic }) => topic === origin?.topic));
  if (rows.length === 0) return found;
  const codec = await codecOf(registryUrl);
  const places = new Map<string, Letter[]>();
  for (const letter of rows) {
    const key = `${letter.origin?.topic}/${letter.origin?.partition}`;
    places.set(key, [...(places.get(key) ?? []), letter]);
  }
  for (const [key, group] of places) {
    const [topic, partition] = [key.slice(0, key.lastIndexOf('/')), Number(key.slice(key.lastIndexOf('/') + 1))];
    const name = topicName(namespace, topic);
    const [earliest] = await log.earliestOffsets([{ topic: name, partition }]);
    const from = Math.max(earliest?.offset ?? 0, Math.min(...group.map(({ origin }) => origin?.offset ?? 0)));
    const newest = await newestOfRows(log, codec, topic, { name, partition, from });
    for (const letter of group) {
      const offset = letter.origin?.offset ?? 0;
      for await (const { records } of log.readRange({ topic: name, partition, from: Math.max(from, offset), until: offset + 1 })) {
        const row = records[0] === undefined ? null : rowOfRecord(codec, topic, records[0]);
        if (row !== null && (newest.get(row) ?? offset) > offset) found.add(letter.id);
      }
    }
  }
  return found;
}
