import { serveJobs } from '../rebuild/thread-runner.js';
import { openRunner } from './rebuild-runner.js';

/** The module of a rebuild's threads. */
await serveJobs(openRunner);
