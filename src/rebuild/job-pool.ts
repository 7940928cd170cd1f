/** Works off one job at a time. */
export interface JobRunner<J, R> {
  /** onProgress: source records taken in since the last call. */
  run(job: J, onProgress: (records: number) => void): Promise<R>;
  /** Also in the middle of a job, which then rejects or never ends. */
  close(): Promise<void>;
}

export interface PoolOptions<J, R> {
  /** In the order in which they are begun: the largest first keeps all runners busy to the end. */
  readonly jobs: readonly J[];
  readonly runners: number;
  readonly start: () => Promise<JobRunner<J, R>>;
  readonly onProgress: (records: number) => void;
  readonly onDone?: (result: R) => void;
  readonly signal: AbortSignal;
}

/** All jobs over several runners. The first failure ends all of them and is thrown; so does the signal, with its reason. */
export async function runJobs<J, R>({ jobs, runners, start, onProgress, onDone, signal }: PoolOptions<J, R>): Promise<R[]> {
  const waiting = [...jobs];
  const results: R[] = [];
  const started: JobRunner<J, R>[] = [];
  const stopped = new Promise<never>((_resolve, reject) => {
    const stop = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('stopped'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
  stopped.catch(() => undefined);
  const lane = async (): Promise<void> => {
    const runner = await start();
    started.push(runner);
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      const result = await runner.run(job, onProgress);
      results.push(result);
      onDone?.(result);
    }
  };
  try {
    const lanes = Array.from({ length: Math.min(runners, jobs.length) }, lane);
    for (const running of lanes) running.catch(() => undefined);
    await Promise.race([Promise.all(lanes), stopped]);
    return results;
  } finally {
    waiting.length = 0;
    await Promise.all(started.map((runner) => runner.close()));
  }
}
