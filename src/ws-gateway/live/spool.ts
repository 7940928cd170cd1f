import { closeSync, existsSync, fsync, fsyncSync, ftruncateSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, statSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { GuidedError } from '../../config/guided-error.js';

/** Lines are gathered up to so much before they are written. */
const WRITE_BYTES = 64 * 1024;
const WRITE_EVERY_MS = 50;
const SYNC_EVERY_MS = 1_000;
const SEGMENT_BYTES = 32 * 1024 * 1024;
const READ_BYTES = 256 * 1024;
const NEWLINE = 0x0a;
const SEGMENT = /^spool-(\d{8})\.jsonl$/;
const MOST_INSTANCES = 100;

/** The disk, or the limit of the spool, takes no more. */
export class SpoolFullError extends Error {
  override name = 'SpoolFullError';
}

export interface SpoolOptions {
  readonly folder: string;
  readonly limitBytes: number;
  /** Called when something could not be written that `append` had taken. */
  readonly onFailure: (error: Error) => void;
}

/** Where reading is. */
interface Reading {
  readonly fd: number;
  readonly number: number;
  offset: number;
}

/**
 * Lines on disk, first in first out, in files of some megabytes, so that what was read can go. What is in it outlives the
 * process: the next one that opens the folder reads it from the beginning. Of two processes of one machine each has a folder of its own.
 */
export class Spool {
  readonly #folder: string;
  readonly #lockFile: string;
  readonly #options: SpoolOptions;
  readonly #timers: NodeJS.Timeout[];
  /** Segments by number, the last one is being written. */
  #segments: { readonly number: number; bytes: number }[];
  #writing: number | null = null;
  #buffer: Buffer[] = [];
  #bufferBytes = 0;
  #isUnsynced = false;
  #reading: Reading | null = null;
  #rest = Buffer.alloc(0);
  /** Lines of earlier processes. */
  readonly inheritedLines: number;

  /** Takes the first folder below `options.folder` that no living process has. */
  constructor(options: SpoolOptions) {
    this.#options = options;
    const { folder, lockFile } = takeFolder(options.folder);
    this.#folder = folder;
    this.#lockFile = lockFile;
    this.#segments = readdirSync(folder)
      .flatMap((name) => SEGMENT.exec(name)?.[1] ?? [])
      .map((digits) => ({ number: Number(digits), bytes: statSync(join(folder, `spool-${digits}.jsonl`)).size }))
      .sort((a, b) => a.number - b.number);
    this.inheritedLines = this.#segments.reduce((sum, { number }) => sum + countLines(this.#path(number)), 0);
    this.#timers = [setInterval(() => this.#write(), WRITE_EVERY_MS).unref(), setInterval(() => this.#sync(), SYNC_EVERY_MS).unref()];
  }

  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0) + this.#bufferBytes;
  }

  get isEmpty(): boolean {
    return this.#segments.length === 0 && this.#bufferBytes === 0;
  }

  /** Throws SpoolFullError if the limit is reached or the disk takes no more; then the line is not in it. */
  append(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    if (this.bytes + bytes.length > this.#options.limitBytes) throw new SpoolFullError(`the spool has reached its limit of ${this.#options.limitBytes} bytes`);
    this.#buffer.push(bytes);
    this.#bufferBytes += bytes.length;
    if (this.#bufferBytes >= WRITE_BYTES) this.#writeOut();
  }

  /** The next lines in order; empty once all are read. They stay on disk until `release`. */
  read(): string[] {
    this.#write();
    for (;;) {
      const reading = this.#reading ?? this.#openNext(0);
      if (reading === null) return this.#unwritten();
      const chunk = Buffer.alloc(READ_BYTES);
      const length = readSync(reading.fd, chunk, 0, READ_BYTES, reading.offset);
      if (length === 0) {
        if (!this.#hasAfter(reading.number)) return this.#unwritten();
        closeSync(reading.fd);
        this.#reading = null;
        // A line torn by the end of a process: what follows is in the next file.
        this.#rest = Buffer.alloc(0);
        this.#openNext(reading.number + 1);
        continue;
      }
      reading.offset += length;
      const lines = this.#cut(chunk.subarray(0, length));
      if (lines.length > 0) return lines;
    }
  }

  /** Lines that the disk does not take; they come after everything on it. */
  #unwritten(): string[] {
    const lines = Buffer.concat(this.#buffer).toString('utf8').split('\n').filter((line) => line !== '');
    this.#buffer = [];
    this.#bufferBytes = 0;
    return lines;
  }

  /** What was read so far is safe elsewhere: files that are read to their end go. */
  release(): void {
    const reading = this.#reading;
    if (reading === null) return;
    while (this.#segments[0] !== undefined && this.#segments[0].number < reading.number) this.#remove(this.#segments[0].number);
    const last = this.#segments[0];
    if (last === undefined || last.number !== reading.number || reading.offset < last.bytes || this.#bufferBytes > 0 || this.#segments.length > 1) return;
    closeSync(reading.fd);
    this.#reading = null;
    this.#rest = Buffer.alloc(0);
    this.#endSegment();
    this.#remove(last.number);
  }

  /** Everything appended is on disk when this returns. */
  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    try {
      this.#write();
      if (this.#writing !== null) fsyncSync(this.#writing);
    } finally {
      if (this.#writing !== null) closeSync(this.#writing);
      if (this.#reading !== null) closeSync(this.#reading.fd);
      unlinkSync(this.#lockFile);
    }
  }

  #path(number: number): string {
    return join(this.#folder, `spool-${String(number).padStart(8, '0')}.jsonl`);
  }

  #cut(chunk: Buffer): string[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const end = bytes.lastIndexOf(NEWLINE);
    this.#rest = Buffer.from(bytes.subarray(end + 1));
    return end < 0 ? [] : bytes.toString('utf8', 0, end).split('\n').filter((line) => line !== '');
  }

  #openNext(from: number): Reading | null {
    const next = this.#segments.find(({ number }) => number >= from);
    this.#reading = next === undefined ? null : { fd: openSync(this.#path(next.number), 'r'), number: next.number, offset: 0 };
    return this.#reading;
  }

  #hasAfter(number: number): boolean {
    return this.#segments.some((segment) => segment.number > number);
  }

  #remove(number: number): void {
    this.#segments = this.#segments.filter((segment) => segment.number !== number);
    unlinkSync(this.#path(number));
  }

  #write(): void {
    try {
      this.#writeOut();
    } catch (error) {
      this.#options.onFailure(error as Error);
    }
  }

  #writeOut(): void {
    if (this.#bufferBytes === 0) return;
    const bytes = Buffer.concat(this.#buffer);
    let last = this.#segments.at(-1);
    try {
      if (this.#writing === null || last === undefined || last.bytes >= SEGMENT_BYTES) {
        this.#endSegment();
        last = { number: (last?.number ?? 0) + 1, bytes: 0 };
        this.#writing = openSync(this.#path(last.number), 'a', 0o600);
        this.#segments.push(last);
      }
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#writing, bytes, written);
    } catch (error) {
      this.#undo(last?.bytes ?? 0);
      throw new SpoolFullError(`the spool cannot be written: ${(error as Error).message}`);
    }
    this.#buffer = [];
    this.#bufferBytes = 0;
    last.bytes += bytes.length;
    this.#isUnsynced = true;
  }

  /** What got there of a write that failed goes again, so that the file ends with a whole line; if it stays, nothing comes after it. */
  #undo(bytes: number): void {
    if (this.#writing === null) return;
    try {
      ftruncateSync(this.#writing, bytes);
    } catch {
      this.#endSegment();
      if (bytes === 0) this.#segments.pop();
    }
  }

  #endSegment(): void {
    const fd = this.#writing;
    this.#writing = null;
    if (fd !== null) closeSync(fd);
  }

  #sync(): void {
    if (!this.#isUnsynced || this.#writing === null) return;
    this.#isUnsynced = false;
    fsync(this.#writing, (error) => {
      if (error !== null && error.code !== 'EBADF') this.#options.onFailure(new SpoolFullError(`the spool cannot be brought to disk: ${error.message}`));
    });
  }
}

function countLines(path: string): number {
  const fd = openSync(path, 'r');
  const chunk = Buffer.alloc(READ_BYTES);
  let count = 0;
  for (let offset = 0, length = 0; (length = readSync(fd, chunk, 0, READ_BYTES, offset)) > 0; offset += length) {
    for (let at = chunk.indexOf(NEWLINE); at >= 0 && at < length; at = chunk.indexOf(NEWLINE, at + 1)) count++;
  }
  closeSync(fd);
  return count;
}

function takeFolder(parent: string): { readonly folder: string; readonly lockFile: string } {
  for (let instance = 0; instance < MOST_INSTANCES; instance++) {
    const folder = join(parent, String(instance));
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const lockFile = join(folder, 'lock');
      if (existsSync(lockFile) && isAlive(Number(readFileSync(lockFile, 'utf8')))) continue;
      writeFileSync(lockFile, String(process.pid), { mode: 0o600 });
      return { folder, lockFile };
    } catch (error) {
      throw new GuidedError(`cannot use the spool folder ${folder}: ${(error as Error).message}`, 'name another with --spool-dir');
    }
  }
  throw new GuidedError(`all ${MOST_INSTANCES} places in the spool folder ${parent} are taken`, 'name another with --spool-dir');
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
