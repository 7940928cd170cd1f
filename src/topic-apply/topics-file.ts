import type { Node } from 'yaml';
import { RECORD_NAMES, type RecordName } from '../domain/records.js';
import { YamlReader, type YamlEntry } from './yaml-reader.js';

/** A topic as topics.yaml declares it, defaults, kind and environment merged in. The name has no namespace yet. */
export interface TopicDeclaration {
  readonly name: string;
  readonly kind: string;
  /** Role or sink that answers for it. */
  readonly owner: string;
  readonly description: string;
  /** What its record keys consist of, for people. */
  readonly key: string;
  /** Records it carries, each a subject; none where bytes are not ours to describe. */
  readonly records: readonly RecordName[];
  readonly partitions: number;
  readonly replication: number;
  /** Kafka's names and values. */
  readonly config: Readonly<Record<string, string>>;
}

export interface TopicChoices {
  /** Name under `environments` whose overrides apply; null for none. */
  readonly environment: string | null;
  /** Instead of what the file says; null for the file's own number. */
  readonly partitions: number | null;
}

interface Sizes {
  readonly partitions: number | null;
  readonly replication: number | null;
  readonly config: Readonly<Record<string, string>>;
}

const TOPIC_NAME = /^[a-z0-9._-]{1,200}$/;
const NOTHING: Sizes = { partitions: null, replication: null, config: {} };

/** Throws YamlFileError with every problem of the file at once. */
export function parseTopicsFile(file: string, text: string, choices: TopicChoices): readonly TopicDeclaration[] {
  const reader = new YamlReader(file, text);
  reader.check();
  const sections = new Map(reader.entries(reader.root, 'the file', ['defaults', 'kinds', 'environments', 'topics']).map((entry) => [entry.key, entry]));
  const defaults = readSizes(reader, sections.get('defaults'), 'defaults');
  const kinds = new Map(entriesOf(reader, sections.get('kinds'), 'kinds').map((entry) => [entry.key, readConfig(reader, entry.value, `kind ${entry.key}`)]));
  const environment = readEnvironment(reader, sections.get('environments'), choices.environment);
  const partitions = choices.partitions ?? environment.partitions ?? defaults.partitions;
  const replication = environment.replication ?? defaults.replication;
  if (partitions === null) reader.problem(reader.root, 'defaults must say partitions');
  if (replication === null) reader.problem(reader.root, 'defaults must say replication');
  const shared = { partitions: partitions ?? 1, replication: replication ?? 1 };
  checkMinInSync(reader, sections.get('topics')?.keyNode ?? null, shared.replication, { ...defaults.config, ...environment.config });
  const topics = entriesOf(reader, sections.get('topics'), 'topics').map((entry): TopicDeclaration => {
    const own = readTopic(reader, entry, kinds);
    return { ...own, ...shared, config: { ...defaults.config, ...kinds.get(own.kind), ...environment.config, ...own.config } };
  });
  checkDeadLetters(reader, topics, sections.get('topics')?.keyNode ?? null);
  reader.check();
  return topics;
}

function entriesOf(reader: YamlReader, section: YamlEntry | undefined, what: string): YamlEntry[] {
  if (section !== undefined) return reader.entries(section.value, what);
  reader.problem(reader.root, `the file has no ${what}`);
  return [];
}

function readSizes(reader: YamlReader, section: YamlEntry | undefined, what: string): Sizes {
  if (section === undefined) return NOTHING;
  const entries = new Map(reader.entries(section.value, what, ['partitions', 'replication', 'config']).map(({ key, value }) => [key, value]));
  const size = (name: string): number | null => (entries.has(name) ? reader.wholeNumber(entries.get(name) ?? null, `${what}.${name}`, 1) : null);
  return { partitions: size('partitions'), replication: size('replication'), config: entries.has('config') ? readConfig(reader, entries.get('config') ?? null, `${what}.config`) : {} };
}

function readConfig(reader: YamlReader, node: Node | null, what: string): Readonly<Record<string, string>> {
  return Object.fromEntries(reader.entries(node, what).map(({ key, value }) => [key, reader.configValue(value, `${what} ${key}`)]));
}

function readEnvironment(reader: YamlReader, section: YamlEntry | undefined, wanted: string | null): Sizes {
  const entries = section === undefined ? [] : reader.entries(section.value, 'environments');
  const sizes = new Map(entries.map((entry) => [entry.key, readSizes(reader, entry, `environment ${entry.key}`)]));
  if (wanted === null) return NOTHING;
  const found = sizes.get(wanted);
  if (found === undefined) reader.problem(section?.keyNode ?? reader.root, `there is no environment ${wanted}; there is ${[...sizes.keys()].join(', ') || 'none'}`);
  return found ?? NOTHING;
}

type OwnPart = Omit<TopicDeclaration, 'partitions' | 'replication'>;

function readTopic(reader: YamlReader, entry: YamlEntry, kinds: ReadonlyMap<string, unknown>): OwnPart {
  const what = `topic ${entry.key}`;
  if (!TOPIC_NAME.test(entry.key)) reader.problem(entry.keyNode, `${what}: a name has at most 200 lower-case letters, digits, ".", "_" and "-"`);
  const parts = new Map(reader.entries(entry.value, what, ['kind', 'owner', 'description', 'key', 'records', 'config']).map((part) => [part.key, part]));
  const text = (name: string): string => {
    const part = parts.get(name);
    if (part !== undefined) return reader.text(part.value, `${what}: ${name}`);
    reader.problem(entry.keyNode, `${what} has no ${name}`);
    return '';
  };
  const kind = text('kind');
  if (kind !== '' && !kinds.has(kind)) reader.problem(parts.get('kind')?.value ?? null, `${what}: there is no kind ${kind}; there is ${[...kinds.keys()].join(', ')}`);
  const records = parts.has('records') ? readRecords(reader, parts.get('records') as YamlEntry, what) : [];
  const carriesRecords = kind === 'events' || kind === 'compacted';
  if (carriesRecords && !parts.has('records')) reader.problem(entry.keyNode, `${what} has no records`);
  if (kind === 'events' && parts.has('records') && !records.includes('Watermark')) reader.problem(parts.get('records')?.value ?? null, `${what}: a topic of events carries Watermark too`);
  if (kind !== 'events' && kinds.has(kind) && records.includes('Watermark')) reader.problem(parts.get('records')?.value ?? null, `${what}: only topics of events carry Watermark`);
  const config = parts.has('config') ? readConfig(reader, parts.get('config')?.value ?? null, `${what}: config`) : {};
  return { name: entry.key, kind, owner: text('owner'), description: text('description'), key: text('key'), records, config };
}

function readRecords(reader: YamlReader, part: YamlEntry, what: string): readonly RecordName[] {
  const names = reader.texts(part.value, `${what}: records`);
  for (const { text, node } of names) {
    if (text !== '' && !RECORD_NAMES.includes(text as RecordName)) reader.problem(node, `${what}: there is no record ${text}; there is ${RECORD_NAMES.join(', ')}`);
  }
  return names.map(({ text }) => text as RecordName);
}

/** Writers could never be acknowledged if more replicas had to be in sync than there are. */
function checkMinInSync(reader: YamlReader, node: Node | null, replication: number, config: Readonly<Record<string, string>>): void {
  const min = Number(config['min.insync.replicas'] ?? '1');
  if (min > replication) reader.problem(node, `min.insync.replicas ${min} with replication ${replication}: nothing could be written`);
}

/** Dead letters are named after the topic they come from; one without it is a slip of the pen. */
function checkDeadLetters(reader: YamlReader, topics: readonly TopicDeclaration[], node: Node | null): void {
  const names = new Set(topics.map((topic) => topic.name));
  const roles = new Set(topics.map((topic) => topic.name.split('.')[0]));
  for (const { name, kind } of topics) {
    if (kind !== 'dead_letters') continue;
    const source = name.endsWith('.dead_letters') ? name.slice(0, -'.dead_letters'.length) : '';
    if (!names.has(source) && !roles.has(source)) reader.problem(node, `topic ${name}: dead letters are named TOPIC.dead_letters or ROLE.dead_letters`);
  }
}
