import { readFileSync } from 'node:fs';
import { KafkaLog } from '../../src/kafka/kafka-log.js';
import type { JobRunner } from '../../src/rebuild/job-pool.js';
import { openShadowSession } from '../../src/rebuild/shadow-schema.js';
import type { SourceRange } from '../../src/rebuild/source-feed.js';
import { serveJobs } from '../../src/rebuild/thread-runner.js';
import { openCodec } from '../../src/schema-registry/open-codec.js';

/*
 * What a rebuild cannot do without, and nothing else: the source records are read and decoded, and the rows that follow from
 * them, made beforehand, are copied into empty tables.
 */

export interface CeilingSettings {
  readonly brokers: readonly string[];
  readonly registryUrl: string;
  readonly databaseUrl: string;
  readonly namespace: string;
  readonly schema: string;
}

export type CeilingJob = { readonly kind: 'read'; readonly ranges: readonly SourceRange[] } | { readonly kind: 'copy'; readonly statement: string; readonly file: string };

export interface CeilingResult {
  readonly records: number;
  readonly ms: number;
}

await serveJobs<CeilingSettings, CeilingJob, CeilingResult>(async ({ brokers, registryUrl, databaseUrl, namespace, schema }): Promise<JobRunner<CeilingJob, CeilingResult>> => {
  const codec = await openCodec({ registryUrl, namespace, topics: [] });
  const log = new KafkaLog({ brokers, clientId: 'bench-ceiling' });
  const session = openShadowSession(databaseUrl, schema);
  const read = async (ranges: readonly SourceRange[]): Promise<number> => {
    let records = 0;
    await Promise.all(ranges.map(async ({ logTopic, partition, from, until }) => {
      for await (const chunk of log.readRange({ topic: logTopic, partition, from, until })) {
        const learning = codec.learn(chunk.records.map(({ value }) => value));
        if (learning !== null) await learning;
        for (const { value } of chunk.records) if (value !== null) codec.decode(value);
        records += chunk.records.length;
      }
    }));
    return records;
  };
  return {
    run: async (job) => {
      // The file is in memory before the clock starts: disks are no part of it.
      const bytes = job.kind === 'copy' ? readFileSync(job.file) : null;
      const startedMs = performance.now();
      const records = job.kind === 'read' ? await read(job.ranges) : 0;
      if (job.kind === 'copy' && bytes !== null && bytes.length > 0) await session.copy(job.statement, [bytes]);
      return { records, ms: performance.now() - startedMs };
    },
    close: async () => {
      await session.end();
      await log.close();
    },
  };
});
