import type { Node } from 'yaml';
import { settingProblem } from './topic-settings.js';
import type { YamlEntry, YamlReader } from './yaml-reader.js';

/** What defaults, an environment or a topic says of how large topics are and how they behave; null: nothing. */
export interface Sizes {
  readonly partitions: number | null;
  readonly replication: number | null;
  readonly config: Readonly<Record<string, string>>;
}

export const NOTHING: Sizes = { partitions: null, replication: null, config: {} };

/** `besides`: keys of the section that are read by somebody else. */
export function readSizes(reader: YamlReader, section: YamlEntry, what: string, besides: readonly string[] = []): Sizes {
  const entries = new Map(reader.entries(section.value, what, besides.includes('config') ? undefined : ['partitions', 'replication', 'config', ...besides]).map(({ key, value }) => [key, value]));
  const size = (name: string): number | null => (entries.has(name) ? reader.wholeNumber(entries.get(name) ?? null, `${what}.${name}`, 1) : null);
  return { partitions: size('partitions'), replication: size('replication'), config: entries.has('config') ? readConfig(reader, entries.get('config') ?? null, `${what}.config`) : {} };
}

export function readConfig(reader: YamlReader, node: Node | null, what: string): Readonly<Record<string, string>> {
  const settings = reader.entries(node, what).map(({ key, keyNode, value }) => {
    const text = reader.configValue(value, `${what} ${key}`);
    const problem = text === '' ? null : settingProblem(key, text);
    if (problem !== null) reader.problem(problem.startsWith('is') ? keyNode : value, `${what} ${key} ${problem}`);
    return [key, text] as const;
  });
  return Object.fromEntries(settings);
}

/** The later over the earlier. */
export function mergedSizes(layers: readonly Sizes[]): Sizes {
  return layers.reduce((all, layer) => ({
    partitions: layer.partitions ?? all.partitions,
    replication: layer.replication ?? all.replication,
    config: { ...all.config, ...layer.config },
  }));
}
