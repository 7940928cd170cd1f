import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { topicName, type Namespace } from '../config/namespace.js';
import { parseTopicsFile, type TopicChoices, type TopicDeclaration } from './topics-file.js';
import type { WantedTopic } from './topic-plan.js';

const FILE = fileURLToPath(new URL('../../topics.yaml', import.meta.url));

/** The project's topics.yaml. Throws YamlFileError. */
export function declaredTopics(choices: TopicChoices = { environment: null, partitions: null }): readonly TopicDeclaration[] {
  return parseTopicsFile('topics.yaml', readFileSync(FILE, 'utf8'), choices);
}

export function wantedTopics(namespace: Namespace, declarations: readonly TopicDeclaration[]): readonly WantedTopic[] {
  return declarations.map(({ name, partitions, replication, config }) => ({
    topic: topicName(namespace, name),
    partitions,
    replicationFactor: replication,
    configs: config,
  }));
}
