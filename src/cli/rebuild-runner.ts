import type { Namespace } from '../config/namespace.js';
import type { BrokerOptions } from '../config/options.js';
import { clusterAccess } from '../kafka/cluster-access.js';
import { KafkaLog } from '../kafka/kafka-log.js';
import type { JobRunner } from '../rebuild/job-pool.js';
import { runJob, type PartitionJob, type PartitionResult } from '../rebuild/partition-job.js';
import { openShadowSession } from '../rebuild/shadow-schema.js';
import { runWhatIf, type WhatIfJob, type WhatIfResult } from '../rebuild/what-if-job.js';
import { openCodec } from '../schema-registry/open-codec.js';
import { topologies, type PipelineOptions } from './role-table.js';

interface SourceSettings {
  readonly pipeline: PipelineOptions;
  readonly brokers: BrokerOptions;
  readonly registryUrl: string;
  readonly namespace: Namespace;
}

/** Plain data: it crosses into threads. */
export type TableRunnerSettings = SourceSettings & { readonly kind: 'tables'; readonly databaseUrl: string; readonly shadow: string };
export type WhatIfRunnerSettings = SourceSettings & { readonly kind: 'what-if'; readonly imagined: PipelineOptions };
export type RunnerSettings = TableRunnerSettings | WhatIfRunnerSettings;

async function openSource({ brokers, registryUrl, namespace }: SourceSettings) {
  // It writes no record: no schema has to be registered for it.
  const codec = await openCodec({ registryUrl, namespace, topics: [] });
  return { codec, log: new KafkaLog({ ...clusterAccess(brokers), clientId: 'position-linker-rebuild' }) };
}

/** Rebuilds partitions in this thread, with connections of its own. */
export async function openTableRunner(settings: TableRunnerSettings): Promise<JobRunner<PartitionJob, PartitionResult>> {
  const source = await openSource(settings);
  const session = openShadowSession(settings.databaseUrl, settings.shadow);
  const stopping = new AbortController();
  return {
    run: (job, onProgress) => runJob({ ...source, topologies: topologies(settings.pipeline), session }, job, onProgress, stopping.signal),
    close: async () => {
      stopping.abort();
      await session.end();
      await source.log.close();
    },
  };
}

/** Imagines partitions in this thread. */
export async function openWhatIfRunner(settings: WhatIfRunnerSettings): Promise<JobRunner<WhatIfJob, WhatIfResult>> {
  const source = await openSource(settings);
  const stopping = new AbortController();
  return {
    run: (job, onProgress) => runWhatIf({ ...source, topologies: topologies(settings.pipeline), imagined: topologies(settings.imagined) }, job, onProgress, stopping.signal),
    close: async () => {
      stopping.abort();
      await source.log.close();
    },
  };
}
