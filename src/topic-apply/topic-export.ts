import { Document } from 'yaml';
import { commonest } from './topic-state.js';
import type { TopicDeclaration } from './topics-file.js';

/** A topic of the cluster, by its name without the namespace. */
export interface ExportedTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

/** Kind of a topic that no file declares yet: what it is for is for a person to say. */
const UNKNOWN_KIND = 'undeclared';

type Known = Pick<TopicDeclaration, 'kind' | 'owner' | 'description' | 'key' | 'records'>;

/**
 * The text of a topics file that says what a cluster has: planning with it finds nothing to do. What a cluster does not know
 * (owner, description, key, records) comes from the declarations where they name the topic.
 */
export function topicsFileText(topics: readonly ExportedTopic[], declarations: readonly TopicDeclaration[]): string {
  const known = new Map<string, Known>(declarations.map((declaration) => [declaration.name, declaration]));
  const kindOf = (topic: ExportedTopic): string => known.get(topic.name)?.kind ?? UNKNOWN_KIND;
  const partitions = commonest(topics.map((topic) => topic.partitions)) ?? 1;
  const replication = commonest(topics.map((topic) => topic.replicationFactor)) ?? 1;
  const shared = sharedSettings(topics.map(({ configs }) => configs));
  const kinds = [...new Set(topics.map(kindOf))].sort();
  const ofKind = new Map(kinds.map((kind) => [kind, without(sharedSettings(topics.filter((topic) => kindOf(topic) === kind).map(({ configs }) => configs)), shared)]));
  const order = new Map(declarations.map(({ name }, index) => [name, index]));
  const sorted = [...topics].sort((a, b) => (order.get(a.name) ?? order.size) - (order.get(b.name) ?? order.size) || (a.name < b.name ? -1 : 1));
  const body = {
    defaults: { partitions, replication, config: shared },
    kinds: Object.fromEntries(ofKind),
    topics: Object.fromEntries(
      sorted.map((topic) => {
        const kind = kindOf(topic);
        const own = without(topic.configs, { ...shared, ...ofKind.get(kind) });
        const { owner, description, key, records } = known.get(topic.name) ?? unknown(topic);
        return [
          topic.name,
          {
            kind,
            owner,
            description,
            key,
            ...(records.length > 0 && { records }),
            ...(topic.partitions !== partitions && { partitions: topic.partitions }),
            ...(topic.replicationFactor !== replication && { replication: topic.replicationFactor }),
            ...(Object.keys(own).length > 0 && { config: own }),
          },
        ];
      }),
    ),
  };
  const document = new Document(body);
  document.commentBefore = ' What the cluster has. Kinds, owners, descriptions, keys and records are those that were declared before.';
  return document.toString({ lineWidth: 0 });
}

function unknown(topic: ExportedTopic): Known {
  return { kind: UNKNOWN_KIND, owner: topic.name.split('.')[0] ?? topic.name, description: 'Found in the cluster; say what it is for.', key: 'unknown', records: [] };
}

/** Settings that all have, with one value. */
function sharedSettings(all: readonly Readonly<Record<string, string>>[]): Readonly<Record<string, string>> {
  const [first = {}, ...others] = all;
  return Object.fromEntries(Object.entries(first).filter(([name, value]) => others.every((configs) => configs[name] === value)));
}

function without(configs: Readonly<Record<string, string>>, said: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(configs).filter(([name, value]) => said[name] !== value));
}
