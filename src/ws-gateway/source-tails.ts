import type { RecordCodec } from '../avro/record-codec.js';
import { topicName, type Namespace } from '../config/namespace.js';
import type { Log } from '../kafka/log.js';
import { SOURCE_TOPICS } from './gateway.js';
import { readTails } from './topic-tail.js';
import type { PartitionTail } from './watermarks.js';

/** How far the source topics have come, by topic and partition. */
export async function readSourceTails(log: Log, codec: RecordCodec, namespace: Namespace, partitions: number): Promise<readonly (readonly PartitionTail[])[]> {
  const places = SOURCE_TOPICS.flatMap((topic) => Array.from({ length: partitions }, (_, partition) => ({ topic: topicName(namespace, topic), partition })));
  const tails = await readTails(log, places, async (records) => {
    await codec.learn(records.map((record) => record.value));
    return (record) => (record.value !== null && codec.nameOf(record.value) === 'Watermark' ? record.timestampMs : null);
  });
  return SOURCE_TOPICS.map((_topic, index) => tails.slice(index * partitions, (index + 1) * partitions));
}
