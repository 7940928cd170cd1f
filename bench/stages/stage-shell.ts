import { RecordCodec } from '../../src/avro/record-codec.js';
import { KafkaLog } from '../../src/kafka/kafka-log.js';
import { openCodec } from '../../src/schema-registry/open-codec.js';
import { declaredTopics } from '../../src/topic-apply/declared-topics.js';

/** What this process used, from `start` to `end`; memory is the most it ever had. */
export interface Usage {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakRssMb: number;
}

/** Begins to measure; the function answered ends it. */
export function measure(): () => Usage {
  const startedMs = performance.now();
  const cpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { seconds: (performance.now() - startedMs) / 1000, cpuSeconds: (user + system) / 1e6, peakRssMb: process.resourceUsage().maxRSS / 1024 };
  };
}

/** The one line by which a stage's process answers. */
export function answer(result: object): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

export async function openShell(namespace: string): Promise<{ readonly log: KafkaLog; readonly codec: RecordCodec }> {
  const { KAFKA_BROKERS, SCHEMA_REGISTRY_URL } = process.env;
  if (!KAFKA_BROKERS || !SCHEMA_REGISTRY_URL) throw new Error('KAFKA_BROKERS and SCHEMA_REGISTRY_URL are not set; run it through scripts/bench');
  const codec = await openCodec({ registryUrl: SCHEMA_REGISTRY_URL, namespace, topics: declaredTopics() });
  return { log: new KafkaLog({ brokers: KAFKA_BROKERS.split(','), clientId: 'bench' }), codec };
}
