import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { serverCpuSeconds } from './server-cpu.js';

/*
 * Every measurement has a process of its own: cold as a start is, and with a peak of memory that is its own.
 */

const FOLDER = fileURLToPath(new URL('.', import.meta.url));

/** What a stage answers: its own figures. */
export type StageAnswer = Readonly<Record<string, unknown>>;

export interface StageProcess {
  readonly answer: Promise<StageAnswer>;
  /** Asks it to end; then it answers. */
  stop(): void;
}

const running = new Set<ChildProcess>();

/** Ends whatever still runs, for the last moment of this process. */
export function endStageProcesses(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** Runs a file of this folder. Flags for node: those given, and `BENCH_NODE_FLAGS`, such as --cpu-prof. */
export function startStage(file: string, args: readonly string[], variables: Readonly<Record<string, string>>, nodeFlags: readonly string[] = []): StageProcess {
  const flags = [...nodeFlags, ...(process.env['BENCH_NODE_FLAGS'] ?? '').split(' ').filter((flag) => flag !== '')];
  const child = spawn(process.execPath, [...flags, '--import', 'tsx', `${FOLDER}${file}`, ...args], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  return { answer: answerOf(child, file), stop: () => void child.kill('SIGTERM') };
}

async function answerOf(child: ChildProcess, file: string): Promise<StageAnswer> {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  running.delete(child);
  if (code !== 0) throw new Error(`${file} ended with ${signal ?? `exit code ${code}`}: ${text}`);
  return JSON.parse(text.trim().split('\n').at(-1) ?? '') as StageAnswer;
}

/** CPU seconds of the servers while `work` runs; null where they cannot be seen. */
export async function withServerCpu<T>(ports: { readonly broker: number; readonly database: number }, work: () => Promise<T>): Promise<{ readonly result: T; readonly brokerCpuSeconds: number | null; readonly databaseCpuSeconds: number | null }> {
  const before = { broker: serverCpuSeconds(ports.broker), database: serverCpuSeconds(ports.database) };
  const result = await work();
  const since = (port: number, from: number | null): number | null => {
    const now = serverCpuSeconds(port);
    return now === null || from === null ? null : now - from;
  };
  return { result, brokerCpuSeconds: since(ports.broker, before.broker), databaseCpuSeconds: since(ports.database, before.database) };
}
