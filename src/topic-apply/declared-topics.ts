import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GuidedError } from '../config/guided-error.js';
import { topicName, type Namespace } from '../config/namespace.js';
import { parseTopicsFile, type TopicChoices, type TopicDeclaration } from './topics-file.js';
import type { WantedTopic } from './topic-state.js';

const FILE = fileURLToPath(new URL('../../topics.yaml', import.meta.url));

/** The project's topics.yaml, or another file of its form. Throws YamlFileError; GuidedError if it cannot be read. */
export function declaredTopics(choices: TopicChoices = { environment: null, partitions: null }, file: string | null = null): readonly TopicDeclaration[] {
  return parseTopicsFile(file ?? basename(FILE), textOf(file ?? FILE), choices);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new GuidedError(`${file} cannot be read`, 'give the path of a topics file with --file, or none for the own one', { cause: error });
  }
}

export function wantedTopics(namespace: Namespace, declarations: readonly TopicDeclaration[]): readonly WantedTopic[] {
  return declarations.map(({ name, place, key, partitions, replication, config }) => ({
    topic: topicName(namespace, name),
    family: `${topicName(namespace, name.split('.')[0] ?? name)}.`,
    place,
    isKeyed: key !== 'none',
    partitions,
    replicationFactor: replication,
    configs: config,
  }));
}
