import { parentPort, Worker, workerData, type WorkerOptions } from 'node:worker_threads';
import { GuidedError } from '../config/guided-error.js';
import type { JobRunner } from './job-pool.js';

type FromThread<R> =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly records: number }
  | { readonly kind: 'done'; readonly result: R }
  | { readonly kind: 'failed'; readonly message: string; readonly nextStep: string | null };

/** From a checkout the sources run as they are; a thread does not inherit what makes that possible. */
function newWorker(file: URL, options: WorkerOptions): Worker {
  if (!file.pathname.endsWith('.ts')) return new Worker(file, options);
  const loader = import.meta.resolve('tsx/esm/api');
  return new Worker(`import(${JSON.stringify(loader)}).then(({ register }) => (register(), import(${JSON.stringify(file.href)})))`, { ...options, eval: true });
}

/** Three semi-spaces of 64 MB: records live for a moment, and a small young generation would copy those that just have not died yet. */
const YOUNG_GENERATION_MB = 192;

/** A runner in a thread of its own. `file`: a module that calls serveJobs; `settings` must be plain data. */
export async function threadRunner<J, R>(file: URL, settings: object, memoryMb: number): Promise<JobRunner<J, R>> {
  const worker = newWorker(file, { workerData: settings, resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: YOUNG_GENERATION_MB } });
  let onProgress: (records: number) => void = () => undefined;
  let settle: { readonly resolve: (result: R | null) => void; readonly reject: (error: Error) => void } | null = null;
  let failure: Error | null = null;
  const fail = (error: Error): void => {
    failure ??= error;
    settle?.reject(failure);
  };
  const answer = (): Promise<R | null> =>
    new Promise((resolve, reject) => {
      settle = { resolve, reject };
      if (failure !== null) reject(failure);
    });
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('the thread has ended')));
  worker.on('message', (message: FromThread<R>) => {
    if (message.kind === 'progress') onProgress(message.records);
    else if (message.kind === 'ready') settle?.resolve(null);
    else if (message.kind === 'done') settle?.resolve(message.result);
    else fail(message.nextStep === null ? new Error(message.message) : new GuidedError(message.message, message.nextStep));
  });
  const close = async (): Promise<void> => {
    await worker.terminate();
  };
  try {
    await answer();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    run: async (job, progress) => {
      onProgress = progress;
      const answered = answer();
      worker.postMessage(job);
      return (await answered) as R;
    },
    close,
  };
}

/** The thread's side: opens a runner with the settings it was given, then works off what comes. Never returns. */
export async function serveJobs<S, J, R>(open: (settings: S) => Promise<JobRunner<J, R>>): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('this module is for a thread');
  const tell = (message: FromThread<R>): void => port.postMessage(message);
  const failed = (error: unknown): void => {
    const { message, nextStep = null } = (error instanceof Error ? error : new Error(String(error))) as Error & { nextStep?: string };
    tell({ kind: 'failed', message, nextStep });
  };
  try {
    const runner = await open(workerData as S);
    port.on('message', (job: J) => {
      runner.run(job, (records) => tell({ kind: 'progress', records })).then((result) => tell({ kind: 'done', result }), failed);
    });
    tell({ kind: 'ready' });
  } catch (error) {
    failed(error);
  }
}
