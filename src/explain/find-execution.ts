import { topicName } from '../config/namespace.js';
import type { RecordTypes } from '../domain/records.js';
import { readTopic, type TopicSource } from '../verify/topic-reader.js';
import type { Subject } from './story.js';

const TOPIC = 'ws-gateway.execution';

/** Looks through all executions for an id: for those that led to no row of a table. */
export async function assetsOfExecution(source: TopicSource, partitions: number, execId: string): Promise<Subject[]> {
  const assets = new Set<string>();
  const ends = await source.log.lastStableOffsets(Array.from({ length: partitions }, (_, partition) => ({ topic: topicName(source.namespace, TOPIC), partition })));
  for (const { partition, offset } of ends) {
    await readTopic(source, TOPIC, partition, offset, ({ type, value }) => {
      if (type !== 'Execution') return;
      const { exec_id, asset } = value as RecordTypes['Execution'];
      if (exec_id === execId) assets.add(asset);
    });
  }
  return [...assets].sort().map((asset) => ({ kind: 'exec', id: execId, asset }));
}
