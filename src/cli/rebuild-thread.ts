import type { JobRunner } from '../rebuild/job-pool.js';
import type { PartitionJob } from '../rebuild/partition-job.js';
import { serveJobs } from '../rebuild/thread-runner.js';
import type { WhatIfJob } from '../rebuild/what-if-job.js';
import { openTableRunner, openWhatIfRunner, type RunnerSettings } from './rebuild-runner.js';

/** The module of a rebuild's threads. */
await serveJobs<RunnerSettings, PartitionJob & WhatIfJob, unknown>(
  (settings): Promise<JobRunner<PartitionJob & WhatIfJob, unknown>> => (settings.kind === 'tables' ? openTableRunner(settings) : openWhatIfRunner(settings)),
);
