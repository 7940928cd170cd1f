import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { packageRoot } from '../../src/stack/paths.js';

/** One process that runs a role. */
export interface Instance {
  readonly role: string;
  readonly child: ChildProcess;
  readonly startedMs: number;
  isPaused: boolean;
  /** Killed: its exit code says nothing. */
  isExpected: boolean;
  /** Told to end: one that has only just started dies of the signal. */
  isTold: boolean;
  readonly gone: Promise<number | null>;
}

const RESTART_MS = 300;
const INTERRUPTED_TWICE = 130;
/** Codes by which a process says that a position, state or the log itself is lost: no fault here may cause them. */
const NEVER = [5, 6, 7];

/** Starts a command of the project in a process of its own; its errors are appended to a file. */
export function startCommand(words: readonly string[], env: Readonly<Record<string, string>>, logFile: string): ChildProcess {
  const errors = openSync(logFile, 'a');
  const child = spawn(process.execPath, ['--import', 'tsx', join(packageRoot, 'src/main.ts'), ...words], { cwd: packageRoot, env: { ...process.env, ...env }, stdio: ['ignore', errors, errors] });
  closeSync(errors);
  return child;
}

export function goneOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

/** The roles of a pipeline: of each at least one instance runs, and one that ends is started again. */
export class RoleFleet {
  /** How processes ended that nobody had killed or stopped, by exit code. */
  readonly exits = new Map<string, number>();
  readonly problems: string[] = [];
  readonly #env: Readonly<Record<string, string>>;
  readonly #dir: string;
  readonly #homes = new Map<string, Instance>();
  readonly #guests = new Set<Instance>();
  #isStopping = false;

  constructor(env: Readonly<Record<string, string>>, dir: string) {
    this.#env = env;
    this.#dir = dir;
  }

  get instances(): readonly Instance[] {
    return [...this.#homes.values(), ...this.#guests].filter(({ child }) => child.exitCode === null && child.signalCode === null);
  }

  instancesOf(role: string): readonly Instance[] {
    return this.instances.filter((instance) => instance.role === role);
  }

  /** Keeps one instance of the role running. */
  keep(role: string): void {
    if (this.#isStopping) return;
    const instance = this.#start(role);
    this.#homes.set(role, instance);
    void instance.gone.then(async () => {
      await pause(RESTART_MS);
      if (this.#homes.get(role) === instance) this.keep(role);
    });
  }

  /** One instance more, until it ends. */
  guest(role: string): Instance {
    const instance = this.#start(role);
    this.#guests.add(instance);
    void instance.gone.then(() => this.#guests.delete(instance));
    return instance;
  }

  kill(instance: Instance, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<number | null> {
    instance.isExpected ||= signal === 'SIGKILL';
    instance.isTold = true;
    instance.child.kill(signal);
    if (instance.isPaused) this.wake(instance);
    return instance.gone;
  }

  pause(instance: Instance): void {
    instance.isPaused = true;
    instance.child.kill('SIGSTOP');
  }

  wake(instance: Instance): void {
    instance.isPaused = false;
    instance.child.kill('SIGCONT');
  }

  /** SIGTERM to all; those that do not end within the time are a problem. */
  async stop(maxMs: number): Promise<void> {
    this.#isStopping = true;
    const left = this.instances;
    for (const instance of left) void this.kill(instance, 'SIGTERM');
    const isOver = Symbol();
    const ended = await Promise.race([Promise.all(left.map(({ gone }) => gone)), pause(maxMs, isOver)]);
    if (ended !== isOver) return;
    for (const instance of this.instances) {
      this.problems.push(`${instance.role} did not end within ${maxMs} ms of SIGTERM`);
      void this.kill(instance);
    }
  }

  /** At once, for the last moment. */
  destroy(): void {
    this.#isStopping = true;
    for (const { child } of this.instances) child.kill('SIGKILL');
  }

  #start(role: string): Instance {
    const child = startCommand(['run', role], this.#env, join(this.#dir, `${role}.log`));
    const instance: Instance = { role, child, startedMs: Date.now(), isPaused: false, isExpected: false, isTold: false, gone: goneOf(child) };
    void instance.gone.then((code) => this.#note(instance, code));
    return instance;
  }

  #note({ role, isExpected, isTold, child }: Instance, code: number | null): void {
    if (isExpected || code === 0 || (isTold && (child.signalCode === 'SIGTERM' || code === INTERRUPTED_TWICE))) return;
    const how = `${role} ended with ${code === null ? 'a signal' : `exit code ${code}`}`;
    this.exits.set(how, (this.exits.get(how) ?? 0) + 1);
    if (code === null || NEVER.includes(code)) this.problems.push(how);
  }
}
