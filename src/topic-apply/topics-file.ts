import type { Node } from 'yaml';
import { RECORD_NAMES, type RecordName } from '../domain/records.js';
import { mergedSizes, NOTHING, readConfig, readSizes, type Sizes } from './topic-sizes.js';
import { YamlReader, type YamlEntry } from './yaml-reader.js';

/** A topic as topics.yaml declares it, defaults, kind and environment merged in. The name has no namespace yet. */
export interface TopicDeclaration {
  readonly name: string;
  /** Where the file declares it, as file:line:column. */
  readonly place: string;
  readonly kind: string;
  /** Role or sink that answers for it. */
  readonly owner: string;
  readonly description: string;
  /** What its record keys consist of, for people; `none` where records have none. */
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
  /** Instead of what the file says of any topic; null for the file's own numbers. */
  readonly partitions: number | null;
}

interface Environment extends Sizes {
  readonly topics: ReadonlyMap<string, Sizes>;
}

const TOPIC_NAME = /^[A-Za-z0-9._-]{1,200}$/;
const TOPIC_PARTS = ['kind', 'owner', 'description', 'key', 'records', 'partitions', 'replication', 'config'];
const NO_ENVIRONMENT: Environment = { ...NOTHING, topics: new Map() };

/**
 * Throws YamlFileError with every problem of the file at once. What is said of a topic counts in this order, the later over
 * the earlier: defaults, its kind, the environment, the topic itself, the environment's word on this topic.
 */
export function parseTopicsFile(file: string, text: string, choices: TopicChoices): readonly TopicDeclaration[] {
  const reader = new YamlReader(file, text);
  reader.check();
  const sections = new Map(reader.entries(reader.root, 'the file', ['defaults', 'kinds', 'environments', 'topics']).map((entry) => [entry.key, entry]));
  const defaults = sections.has('defaults') ? readSizes(reader, sections.get('defaults') as YamlEntry, 'defaults') : NOTHING;
  const kinds = new Map(entriesOf(reader, sections.get('kinds'), 'kinds').map((entry) => [entry.key, { ...NOTHING, config: readConfig(reader, entry.value, `kind ${entry.key}`) }]));
  const topicEntries = entriesOf(reader, sections.get('topics'), 'topics');
  const environment = readEnvironment(reader, sections.get('environments'), choices.environment, topicEntries.map(({ key }) => key));
  if ((choices.partitions ?? environment.partitions ?? defaults.partitions) === null) reader.problem(reader.root, 'defaults must say partitions');
  if ((environment.replication ?? defaults.replication) === null) reader.problem(reader.root, 'defaults must say replication');
  const topics = topicEntries.map((entry): TopicDeclaration => {
    const { sizes: own, ...rest } = readTopic(reader, entry, kinds);
    const sizes = mergedSizes([defaults, kinds.get(rest.kind) ?? NOTHING, environment, own, environment.topics.get(rest.name) ?? NOTHING]);
    const declared = { ...rest, partitions: choices.partitions ?? sizes.partitions ?? 1, replication: sizes.replication ?? 1, config: sizes.config };
    checkMinInSync(reader, entry.keyNode, declared);
    return declared;
  });
  checkDeadLetters(reader, topics, topicEntries);
  reader.check();
  return topics;
}

function entriesOf(reader: YamlReader, section: YamlEntry | undefined, what: string): YamlEntry[] {
  if (section !== undefined) return reader.entries(section.value, what);
  reader.problem(reader.root, `the file has no ${what}`);
  return [];
}

/** All environments are checked, the wanted one is answered. */
function readEnvironment(reader: YamlReader, section: YamlEntry | undefined, wanted: string | null, topics: readonly string[]): Environment {
  const entries = section === undefined ? [] : reader.entries(section.value, 'environments');
  const environments = new Map(entries.map((entry) => [entry.key, environmentOf(reader, entry, topics)]));
  if (wanted === null) return NO_ENVIRONMENT;
  const found = environments.get(wanted);
  if (found === undefined) reader.problem(section?.keyNode ?? reader.root, `there is no environment ${wanted}; there is ${[...environments.keys()].join(', ') || 'none'}`);
  return found ?? NO_ENVIRONMENT;
}

function environmentOf(reader: YamlReader, entry: YamlEntry, topics: readonly string[]): Environment {
  const what = `environment ${entry.key}`;
  const sizes = readSizes(reader, entry, what, ['topics']);
  const section = reader.optional(entry.value, 'topics');
  if (section === null) return { ...sizes, topics: new Map() };
  const overrides = reader.entries(section.value, `${what}.topics`).map((override): readonly [string, Sizes] => {
    if (!topics.includes(override.key)) reader.problem(override.keyNode, `${what}: there is no topic ${override.key}`);
    return [override.key, readSizes(reader, override, `${what}: topic ${override.key}`)];
  });
  return { ...sizes, topics: new Map(overrides) };
}

type OwnPart = Omit<TopicDeclaration, 'partitions' | 'replication' | 'config'> & { readonly sizes: Sizes };

function readTopic(reader: YamlReader, entry: YamlEntry, kinds: ReadonlyMap<string, unknown>): OwnPart {
  const what = `topic ${entry.key}`;
  if (!TOPIC_NAME.test(entry.key)) reader.problem(entry.keyNode, `${what}: a name has at most 200 letters, digits, ".", "_" and "-"`);
  const parts = new Map(reader.entries(entry.value, what, TOPIC_PARTS).map((part) => [part.key, part]));
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
  const sizes = readSizes(reader, entry, what, TOPIC_PARTS);
  return { name: entry.key, place: reader.placeOf(entry.keyNode), kind, owner: text('owner'), description: text('description'), key: text('key'), records, sizes };
}

function readRecords(reader: YamlReader, part: YamlEntry, what: string): readonly RecordName[] {
  const names = reader.texts(part.value, `${what}: records`);
  for (const { text, node } of names) {
    if (text !== '' && !RECORD_NAMES.includes(text as RecordName)) reader.problem(node, `${what}: there is no record ${text}; there is ${RECORD_NAMES.join(', ')}`);
  }
  return names.map(({ text }) => text as RecordName);
}

/** With as many replicas in sync as there are, one broker that restarts stops all writing; with more, nothing is ever written. */
function checkMinInSync(reader: YamlReader, node: Node, { name, replication, config }: Pick<TopicDeclaration, 'name' | 'replication' | 'config'>): void {
  const min = Number(config['min.insync.replicas'] ?? '1');
  if (min > replication) reader.problem(node, `topic ${name}: min.insync.replicas ${min} with replication ${replication}: nothing could be written`);
  else if (replication > 1 && min === replication) reader.problem(node, `topic ${name}: min.insync.replicas ${min} with replication ${replication}: one broker that restarts would stop all writing; take at most ${replication - 1}`);
}

/** Dead letters are named after the topic they come from; one without it is a slip of the pen. */
function checkDeadLetters(reader: YamlReader, topics: readonly TopicDeclaration[], entries: readonly YamlEntry[]): void {
  const names = new Set(topics.map((topic) => topic.name));
  const roles = new Set(topics.map((topic) => topic.name.split('.')[0]));
  topics.forEach(({ name, kind }, index) => {
    if (kind !== 'dead_letters') return;
    const source = name.endsWith('.dead_letters') ? name.slice(0, -'.dead_letters'.length) : '';
    if (!names.has(source) && !roles.has(source)) reader.problem(entries[index]?.keyNode ?? null, `topic ${name}: dead letters are named TOPIC.dead_letters or ROLE.dead_letters`);
  });
}
