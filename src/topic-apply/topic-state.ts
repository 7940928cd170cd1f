/* Declared topics and those of a cluster, side by side. */

export interface WantedTopic {
  readonly topic: string;
  /** How the names of all topics of its role begin. */
  readonly family: string;
  /** Where it is declared, as file:line:column. */
  readonly place: string;
  /** Records with one key must stay in one partition. */
  readonly isKeyed: boolean;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

/** A topic of the cluster; configs are those set on the topic itself, defaults the broker's for some that are not. */
export interface ExistingTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
  readonly defaults?: Readonly<Record<string, string>>;
}

/** The cluster as far as a plan depends on it. */
export interface ClusterState {
  readonly clusterId: string;
  readonly brokers: number;
  /** Broker defaults of settings that rules look at. */
  readonly defaults: Readonly<Record<string, string>>;
  /** Those of the declared topics that exist. */
  readonly topics: readonly ExistingTopic[];
  /** Topics of this pipeline that nothing declares. */
  readonly undeclared: readonly string[];
}

/** Topics that one role works on together: its task p takes partition p of them all. */
export interface RoleTopics {
  readonly role: string;
  readonly topics: readonly string[];
}

export interface PlanChoices {
  readonly roles: readonly RoleTopics[];
  /** The person said that records may go. */
  readonly allowRetentionCut: boolean;
}

export interface ConfigChange {
  readonly topic: string;
  readonly name: string;
  /** null: the broker's default applies. */
  readonly from: string | null;
  readonly to: string;
}

export function configChanges(wanted: WantedTopic, is: ExistingTopic): ConfigChange[] {
  return Object.entries(wanted.configs)
    .filter(([name, to]) => is.configs[name] !== to)
    .map(([name, to]) => ({ topic: wanted.topic, name, from: is.configs[name] ?? null, to }));
}

/** The number that most of them are; null for none. */
export function commonest(numbers: readonly number[]): number | null {
  const seen = new Map<number, number>();
  for (const number of numbers) seen.set(number, (seen.get(number) ?? 0) + 1);
  return [...seen].sort(([, a], [, b]) => b - a)[0]?.[0] ?? null;
}
