import { commonest, configChanges, type ClusterState, type ConfigChange, type ExistingTopic, type PlanChoices, type RoleTopics, type WantedTopic } from './topic-state.js';

/*
 * What a plan refuses, by rule:
 *
 * | rule                | refuses                                                        | because                                                |
 * |---------------------|----------------------------------------------------------------|--------------------------------------------------------|
 * | partition-shrink    | fewer partitions                                               | Kafka cannot; records would have to go                 |
 * | partition-growth    | more partitions of a topic with keys                           | an asset's history would lie in two partitions         |
 * | co-partitioning     | topics of one role with different numbers of partitions        | task p works on partition p of them all                |
 * | replication-change  | another replication of a topic that exists                     | moving replicas needs a schedule, not a setting        |
 * | replication-brokers | more replicas than there are brokers                           | Kafka cannot                                           |
 * | min-insync          | as many replicas in sync as there are, or more                 | one broker that restarts would stop all writing        |
 * | retention-cut       | retention that is shortened, or finite where events are kept   | history goes, and a rebuild ends where it begins       |
 * | cleanup-policy      | another cleanup policy of a topic that exists                  | it changes which records stay                          |
 *
 * Topics are never deleted, so there is no rule about it: what nothing declares is kept, and named.
 */
export type TopicRule = 'partition-shrink' | 'partition-growth' | 'co-partitioning' | 'replication-change' | 'replication-brokers' | 'min-insync' | 'retention-cut' | 'cleanup-policy';

export interface Refusal {
  readonly rule: TopicRule;
  /** Names in the cluster. */
  readonly topics: readonly string[];
  /** Setting it is about, if it is one. */
  readonly setting: string | null;
  /** What is not done, and why. */
  readonly message: string;
  /** How to get there without harm. */
  readonly safeWay: string;
  /** Where the first of the topics is declared. */
  readonly place: string;
}

interface Pair {
  readonly wanted: WantedTopic;
  readonly is: ExistingTopic | null;
}
type ExistingPair = Pair & { readonly is: ExistingTopic };

/** Settings by which records go away. */
const RETENTION = ['retention.ms', 'retention.bytes'];
const CLEANUP = 'cleanup.policy';
const MIN_INSYNC = 'min.insync.replicas';

export function refusalsOf(pairs: readonly Pair[], cluster: ClusterState, choices: PlanChoices): readonly Refusal[] {
  const existing = pairs.filter((pair): pair is ExistingPair => pair.is !== null);
  const partitions = partitionRefusals(existing);
  return [
    ...partitions,
    ...coPartitionRefusals(pairs, choices.roles, new Set(partitions.flatMap(({ topics }) => topics))),
    ...replicationRefusals(existing),
    ...brokerRefusals(pairs, cluster.brokers),
    ...minInSyncRefusals(pairs, cluster),
    ...(choices.allowRetentionCut ? [] : pairs.flatMap(retentionRefusals)),
    ...existing.flatMap(({ wanted, is }) => configChanges(wanted, is).flatMap((change) => cleanupRefusals(change, wanted))),
  ];
}

/** One refusal for all topics of which the same is to be said: usually it is all of them. */
function grouped<P extends Pair>(pairs: readonly P[], sameOf: (pair: P) => string, refusal: (first: P, who: string, isOne: boolean) => Omit<Refusal, 'topics' | 'place'>): Refusal[] {
  const kinds = [...new Set(pairs.map(sameOf))];
  return kinds.map((kind) => {
    const group = pairs.filter((pair) => sameOf(pair) === kind);
    const [first] = group as [P];
    const who = group.length === 1 ? first.wanted.topic : `${group.length} topics (${first.wanted.topic}, …)`;
    return { ...refusal(first, who, group.length === 1), topics: group.map(({ wanted }) => wanted.topic), place: first.wanted.place };
  });
}

function partitionRefusals(existing: readonly ExistingPair[]): Refusal[] {
  const misshapen = existing.filter(({ wanted, is }) => is.partitions > wanted.partitions || (is.partitions < wanted.partitions && wanted.isKeyed));
  return grouped(misshapen, ({ wanted, is }) => `${is.partitions} ${wanted.partitions}`, ({ wanted, is }, who, isOne) => {
    const isGrowth = is.partitions < wanted.partitions;
    return {
      rule: isGrowth ? 'partition-growth' : 'partition-shrink',
      setting: null,
      message:
        `${who} ${isOne ? 'has' : 'have'} ${is.partitions} partitions, ${wanted.partitions} are declared; ` +
        (isGrowth ? "with more, an asset's later records would go to another partition than its earlier ones: that would split an asset's history" : 'Kafka cannot take partitions away'),
      safeWay:
        `go on with --partitions ${is.partitions}; or make new topics and replay into them: \`position-linker setup --namespace NEW --partitions ${wanted.partitions}\`, ` +
        'play the sources into it (`ingest --namespace NEW`), `run all --namespace NEW`, compare, then let the old ones be',
    };
  });
}

function coPartitionRefusals(pairs: readonly Pair[], roles: readonly RoleTopics[], alreadyRefused: ReadonlySet<string>): Refusal[] {
  const byTopic = new Map(pairs.map((pair) => [pair.wanted.topic, pair]));
  return roles.flatMap(({ role, topics }) => {
    const own = topics.flatMap((topic) => byTopic.get(topic) ?? []).filter(({ wanted }) => !alreadyRefused.has(wanted.topic));
    // A topic that exists keeps its number, or grows to the declared one.
    const counts = own.map(({ wanted, is }) => ({ wanted, count: Math.max(is?.partitions ?? 0, wanted.partitions) }));
    const usual = commonest(counts.map(({ count }) => count));
    const odd = counts.filter(({ count }) => count !== usual);
    const [first] = odd;
    if (first === undefined) return [];
    return [
      {
        rule: 'co-partitioning',
        topics: odd.map(({ wanted }) => wanted.topic),
        setting: null,
        message: `${role} works on partition p of all its topics at once, but ${odd.map(({ wanted, count }) => `${wanted.topic} has ${count} partitions`).join(', ')} and the others have ${usual}`,
        safeWay: `declare ${usual} partitions for all topics of ${role}`,
        place: first.wanted.place,
      },
    ];
  });
}

function replicationRefusals(existing: readonly ExistingPair[]): Refusal[] {
  const others = existing.filter(({ wanted, is }) => is.replicationFactor !== wanted.replicationFactor);
  return grouped(others, ({ wanted, is }) => `${is.replicationFactor} ${wanted.replicationFactor}`, ({ wanted, is }, who, isOne) => ({
    rule: 'replication-change',
    setting: null,
    message: `${who} ${isOne ? 'has' : 'have'} replication ${is.replicationFactor}, ${wanted.replicationFactor} is declared`,
    safeWay: "move the replicas with Kafka's own kafka-reassign-partitions, then plan again",
  }));
}

function brokerRefusals(pairs: readonly Pair[], brokers: number): Refusal[] {
  const missing = pairs.filter(({ wanted, is }) => is === null && wanted.replicationFactor > brokers);
  return grouped(missing, ({ wanted }) => String(wanted.replicationFactor), ({ wanted }, who, isOne) => ({
    rule: 'replication-brokers',
    setting: null,
    message: `${who} ${isOne ? 'wants' : 'want'} replication ${wanted.replicationFactor}, the cluster has ${brokers} ${brokers === 1 ? 'broker' : 'brokers'}`,
    safeWay: `start more brokers, or choose an --environment with replication ${brokers} at most`,
  }));
}

function minInSyncRefusals(pairs: readonly Pair[], cluster: ClusterState): Refusal[] {
  const sizes = ({ wanted, is }: Pair): readonly [min: number, replication: number] => [
    Number(wanted.configs[MIN_INSYNC] ?? is?.configs[MIN_INSYNC] ?? is?.defaults?.[MIN_INSYNC] ?? cluster.defaults[MIN_INSYNC] ?? '1'),
    is?.replicationFactor ?? wanted.replicationFactor,
  ];
  const tight = pairs.filter((pair) => {
    const [min, replication] = sizes(pair);
    return min >= replication && !(min === 1 && replication === 1);
  });
  return grouped(tight, (pair) => sizes(pair).join(' '), (pair, who) => {
    const [min, replication] = sizes(pair);
    return {
      rule: 'min-insync',
      setting: MIN_INSYNC,
      message: `${who}: ${MIN_INSYNC} ${min} with replication ${replication}: ${min > replication ? 'nothing could be written' : 'one broker that restarts would stop all writing'}`,
      safeWay: `declare ${MIN_INSYNC}: ${Math.max(1, replication - 1)}${replication === 1 ? ', or make more replicas first' : ''}`,
    };
  });
}

/** Shortened where records are; or finite at all where a topic of events is made: a rebuild ends there. */
function retentionRefusals({ wanted, is }: Pair): Refusal[] {
  return RETENTION.flatMap((setting): Refusal[] => {
    const to = wanted.configs[setting];
    const from = is === null ? '-1' : (is.configs[setting] ?? is.defaults?.[setting] ?? '-1');
    if (to === undefined || is?.configs[setting] === to || !isShorter(from, to)) return [];
    const isCompacted = wanted.configs[CLEANUP] === 'compact';
    if (is === null && isCompacted) return [];
    const shown = is === null ? to : `${is.configs[setting] ?? '(default)'} → ${to}`;
    return [
      {
        rule: 'retention-cut',
        topics: [wanted.topic],
        setting,
        message: is === null ? `${wanted.topic}: ${setting} ${shown} would delete records of old event time at once, and end every rebuild there` : `${wanted.topic}: ${setting} ${shown} would delete records`,
        safeWay: 'declare -1, which keeps everything; if the loss is meant, say --allow-retention-cut',
        place: wanted.place,
      },
    ];
  });
}

function isShorter(from: string, to: string): boolean {
  if (to === '-1') return false;
  return from === '-1' || BigInt(to) < BigInt(from);
}

function cleanupRefusals({ topic, name, from, to }: ConfigChange, { place }: WantedTopic): Refusal[] {
  if (name !== CLEANUP || from === null) return [];
  return [
    {
      rule: 'cleanup-policy',
      topics: [topic],
      setting: CLEANUP,
      message: `${topic}: ${CLEANUP} ${from} → ${to} would change which records stay in it`,
      safeWay: 'make a new topic and replay into it (another --namespace); if the change is meant, set it with Kafka\'s own kafka-configs',
      place,
    },
  ];
}
