import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { constants, createGzip, type Gzip } from 'node:zlib';
import { GuidedError } from '../../config/guided-error.js';

const WRITE_BYTES = 64 * 1024;
/** What a compressed file holds is readable up to here, even if the process dies. */
const FLUSH_EVERY_MS = 1_000;

export interface CaptureFileOptions {
  /** Ends in .gz to be compressed. */
  readonly path: string;
  /** A new file after so many bytes of lines; null: never. */
  readonly rotateBytes: number | null;
  readonly rotateHourly: boolean;
  readonly onFailure: (error: Error) => void;
}

/** Lines into one file after the other. Files that are there already are continued. Times choose names only. */
export class CaptureFile {
  /** Files written to, in order. */
  readonly paths: string[] = [];
  lines = 0;
  readonly #options: CaptureFileOptions;
  readonly #timer: NodeJS.Timeout;
  #open: OpenFile | null = null;
  /** Earlier files whose last bytes are on their way: without them they are no whole files. */
  readonly #closing = new Set<Promise<void>>();
  #bytes = 0;
  #hour = '';

  constructor(options: CaptureFileOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#open?.flush(), FLUSH_EVERY_MS);
  }

  /** Throws a GuidedError if the file cannot be opened. */
  append(line: string, timeMs: number): void {
    const hour = new Date(timeMs).toISOString().slice(0, 13);
    const isFull = this.#options.rotateBytes !== null && this.#bytes >= this.#options.rotateBytes;
    if (this.#open === null || isFull || (this.#options.rotateHourly && hour !== this.#hour)) {
      if (this.#open !== null) this.#closeLater(this.#open);
      this.#open = this.#openFile(timeMs);
      this.#bytes = 0;
      this.#hour = hour;
    }
    this.#bytes += line.length + 1;
    this.lines++;
    this.#open.append(`${line}\n`);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#open !== null) this.#closeLater(this.#open);
    this.#open = null;
    await Promise.all(this.#closing);
  }

  #closeLater(file: OpenFile): void {
    const closing = file.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #openFile(timeMs: number): OpenFile {
    const { path, rotateBytes, rotateHourly, onFailure } = this.#options;
    const name = rotateBytes === null && !rotateHourly ? path : rotatedName(path, timeMs, this.paths);
    try {
      const file = new OpenFile(openSync(name, 'a', 0o600), name.endsWith('.gz'), onFailure);
      this.paths.push(name);
      return file;
    } catch (error) {
      throw new GuidedError(`cannot write ${name}: ${(error as Error).message}`, 'name a file in a folder that is there and can be written with --out');
    }
  }
}

/** session.jsonl.gz becomes session-20260131T235959Z.jsonl.gz; a number follows where one second has several. */
function rotatedName(path: string, timeMs: number, taken: readonly string[]): string {
  const slash = path.lastIndexOf('/') + 1;
  const point = path.indexOf('.', slash + 1);
  const [stem, suffix] = point < 0 ? [path, ''] : [path.slice(0, point), path.slice(point)];
  const stamp = new Date(timeMs).toISOString().replace(/[-:]|\.\d+/g, '');
  for (let number = 1; ; number++) {
    const name = `${stem}-${stamp}${number === 1 ? '' : `-${number}`}${suffix}`;
    if (!taken.includes(name)) return name;
  }
}

class OpenFile {
  readonly #fd: number;
  readonly #gzip: Gzip | null;
  readonly #onFailure: (error: Error) => void;
  #waiting: string[] = [];
  #waitingBytes = 0;

  constructor(fd: number, isCompressed: boolean, onFailure: (error: Error) => void) {
    this.#fd = fd;
    this.#onFailure = onFailure;
    this.#gzip = isCompressed ? createGzip() : null;
    this.#gzip?.on('data', (chunk: Buffer) => this.#write(chunk));
  }

  append(text: string): void {
    this.#waiting.push(text);
    this.#waitingBytes += text.length;
    if (this.#waitingBytes >= WRITE_BYTES) this.#pass();
  }

  flush(): void {
    this.#pass();
    this.#gzip?.flush(constants.Z_SYNC_FLUSH);
  }

  async close(): Promise<void> {
    this.#pass();
    const gzip = this.#gzip;
    if (gzip !== null) await new Promise<void>((resolve) => gzip.once('end', resolve).end());
    fsyncSync(this.#fd);
    closeSync(this.#fd);
  }

  #pass(): void {
    if (this.#waitingBytes === 0) return;
    const bytes = Buffer.from(this.#waiting.join(''));
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (this.#gzip === null) this.#write(bytes);
    else this.#gzip.write(bytes);
  }

  #write(bytes: Buffer): void {
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#fd, bytes, written);
    } catch (error) {
      this.#onFailure(error as Error);
    }
  }
}
