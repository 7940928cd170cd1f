import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { stackEnvironment } from '../cli/temporary-namespace.js';
import type { FakeExchange } from './fake-exchange.js';

const ROOT = new URL('../../', import.meta.url).pathname;

export interface GatewayLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** `run ws-gateway` in a process of its own, connected to a fake exchange. */
export class GatewayProcess {
  readonly lines: GatewayLine[] = [];
  /** Everything it wrote, both streams. */
  text = '';
  readonly #child: ChildProcess;
  readonly #closed: Promise<number | null>;

  constructor(exchange: FakeExchange, words: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const [first] = exchange.accounts;
    this.#child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', ...words, '--ws-url', exchange.wsUrl, '--rest-url', exchange.restUrl], {
      cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...stackEnvironment(), BYBIT_API_KEY: first?.key ?? '', BYBIT_API_SECRET: first?.secret ?? '', ...env },
    });
    let rest = '';
    this.#child.stdout!.on('data', (chunk: Buffer) => { this.text += chunk.toString(); });
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.text += chunk.toString();
      rest += chunk.toString();
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith('{')) this.lines.push(JSON.parse(line) as GatewayLine);
    });
    this.#closed = once(this.#child, 'close').then(([code]) => code as number | null);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** How often it said this. */
  said(message: string): number {
    return this.lines.filter(({ msg }) => msg.startsWith(message)).length;
  }

  /** A gap of some account is open, as far as it said. */
  get hasGap(): boolean {
    const last = new Map<unknown, boolean>();
    for (const { msg, account } of this.lines) if (msg === 'connecting' || msg.startsWith('gap')) last.set(account, msg !== 'gap closed');
    return last.size === 0 || [...last.values()].some((isOpen) => isOpen);
  }

  /** Whether it still runs. */
  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async ended(): Promise<number | null> {
    return this.#closed;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#child.kill(signal);
    return this.#closed;
  }
}
