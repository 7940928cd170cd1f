import { type ChildProcess } from 'node:child_process';
import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { scenario } from '../simulator/scenarios.js';
import { simulateLines } from '../simulator/simulate.js';
import { goneOf, startCommand } from './role-fleet.js';

export interface LoadOptions {
  readonly seed: number;
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Times recorded pace. */
  readonly speed: number;
  /** How long a piece takes to play. */
  readonly pieceSeconds: number;
}

const RETRY_MS = 500;

/**
 * A session that goes on as long as it is wanted, played piece by piece by a gateway process each. A piece whose process
 * dies is played again from its beginning, as somebody would do who does not know how far it came.
 */
export class Load {
  /** Pieces played to their end, and how often one was begun anew. */
  pieces = 0;
  again = 0;
  readonly #options: LoadOptions;
  readonly #lines: Iterator<string>;
  readonly #files: string[] = [];
  #carried: string | null = null;
  #child: ChildProcess | null = null;
  #isFinishing = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#lines = simulateLines(scenario('everything', options.seed, { assets: 8, orders: 1_000_000, accounts: 2, meanGapMs: 350, trouble: { midStart: 0 } }));
  }

  start(): void {
    this.#running = this.#run();
  }

  /** kill -9 of the gateway, if it plays just now; answers whether. */
  kill(): boolean {
    return this.#child?.kill('SIGKILL') ?? false;
  }

  /** Plays the piece at hand to its end, and one more that ends the session. */
  async finish(): Promise<void> {
    this.#isFinishing = true;
    await this.#running;
  }

  destroy(): void {
    this.#isFinishing = true;
    this.#child?.kill('SIGKILL');
  }

  /** Every line that was played. */
  async *lines(): AsyncGenerator<string> {
    for (const file of this.#files) yield* createInterface({ input: createReadStream(file) });
  }

  async #run(): Promise<void> {
    while (!this.#isFinishing) await this.#play(this.#nextPiece(), true);
    await this.#play(this.#nextPiece(), false);
  }

  async #play(file: string, continues: boolean): Promise<void> {
    const { dir, env, speed } = this.#options;
    for (;;) {
      const words = ['ingest', '--capture', file, '--speed', continues ? String(speed) : 'max', ...(continues ? ['--continues'] : [])];
      this.#child = startCommand(words, env, join(dir, 'ws-gateway.log'));
      const code = await goneOf(this.#child);
      this.#child = null;
      if (code === 0) break;
      this.again++;
      await pause(RETRY_MS);
    }
    this.pieces++;
  }

  #nextPiece(): string {
    const { dir, speed, pieceSeconds } = this.#options;
    const piece: string[] = this.#carried === null ? [] : [this.#carried];
    this.#carried = null;
    let endMs: number | null = null;
    for (let next = this.#lines.next(); next.done !== true; next = this.#lines.next()) {
      const receivedMs = receivedAt(next.value);
      endMs ??= receivedMs === null ? null : receivedMs + pieceSeconds * 1_000 * speed;
      if (receivedMs !== null && endMs !== null && receivedMs > endMs) {
        this.#carried = next.value;
        break;
      }
      piece.push(next.value);
    }
    const file = join(dir, `session-${this.#files.length}.jsonl`);
    writeFileSync(file, piece.map((line) => `${line}\n`).join(''));
    this.#files.push(file);
    return file;
  }
}

function receivedAt(line: string): number | null {
  const found = /^\{"receivedAt":(\d+)/.exec(line)?.[1];
  return found === undefined ? null : Number(found);
}
