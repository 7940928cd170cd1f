import type { Namespace } from '../config/namespace.js';
import type { BrokerOptions } from '../config/options.js';
import { clusterAccess } from '../kafka/cluster-access.js';
import { KafkaLog } from '../kafka/kafka-log.js';
import type { JobRunner } from '../rebuild/job-pool.js';
import { runJob, type PartitionJob, type PartitionResult } from '../rebuild/partition-job.js';
import { openShadowSession } from '../rebuild/shadow-schema.js';
import { openCodec } from '../schema-registry/open-codec.js';
import { topologies, type PipelineOptions } from './role-table.js';

/** Plain data: it crosses into threads. */
export interface RunnerSettings {
  readonly pipeline: PipelineOptions;
  readonly brokers: BrokerOptions;
  readonly registryUrl: string;
  readonly databaseUrl: string;
  readonly namespace: Namespace;
  readonly shadow: string;
}

/** Works off partitions in this thread, with connections of its own. */
export async function openRunner({ pipeline, brokers, registryUrl, databaseUrl, namespace, shadow }: RunnerSettings): Promise<JobRunner<PartitionJob, PartitionResult>> {
  // It writes no record: no schema has to be registered for it.
  const codec = await openCodec({ registryUrl, namespace, topics: [] });
  const log = new KafkaLog({ ...clusterAccess(brokers), clientId: 'position-linker-rebuild' });
  const session = openShadowSession(databaseUrl, shadow);
  const stopping = new AbortController();
  return {
    run: (job, onProgress) => runJob({ log, codec, topologies: topologies(pipeline), session }, job, onProgress, stopping.signal),
    close: async () => {
      stopping.abort();
      await session.end();
      await log.close();
    },
  };
}
