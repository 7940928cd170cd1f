import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { GuidedError } from '../../config/guided-error.js';

const CHUNK_BYTES = 256 * 1024;

/** Lines into a file, compressed where its name ends in .gz. The name appears only when all of it is written. Throws GuidedError where it cannot be. */
export class CaptureWriter {
  readonly #path: string;
  readonly #partPath: string;
  readonly #file: Writable;
  readonly #into: Writable;
  readonly #done: Promise<void>;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(path: string) {
    this.#path = path;
    this.#partPath = `${path}.part`;
    this.#file = createWriteStream(this.#partPath);
    if (path.endsWith('.gz')) {
      const gzip = createGzip();
      gzip.pipe(this.#file);
      this.#into = gzip;
    } else this.#into = this.#file;
    this.#done = finished(this.#file);
    // Awaited at the end; until then a failure shows at the next flush.
    this.#done.catch(() => undefined);
  }

  write(line: string | Buffer): void {
    const bytes = typeof line === 'string' ? Buffer.from(`${line}\n`) : Buffer.concat([line, Buffer.from('\n')]);
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
  }

  /** Hands on what was gathered, once it is enough, and waits while the file is behind. */
  async flush(isEnd = false): Promise<void> {
    if (this.#file.errored !== null && this.#file.errored !== undefined) throw this.#cannotWrite(this.#file.errored);
    if (this.#bytes < CHUNK_BYTES && !isEnd) return;
    const chunk = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#bytes = 0;
    if (chunk.length > 0 && !this.#into.write(chunk)) await Promise.race([once(this.#into, 'drain'), this.#done]);
  }

  async finish(): Promise<void> {
    try {
      await this.flush(true);
      this.#into.end();
      await this.#done;
      await rename(this.#partPath, this.#path);
    } catch (error) {
      throw error instanceof GuidedError ? error : this.#cannotWrite(error);
    }
  }

  #cannotWrite(cause: unknown): GuidedError {
    return new GuidedError(`cannot write ${this.#path}`, 'name a file in a folder that is there and may be written, with room for it', { cause });
  }

  /** Leaves no file behind. */
  async discard(): Promise<void> {
    this.#into.destroy();
    this.#file.destroy();
    // It may only be opening yet: removed before that, it would be made after all.
    await this.#done.catch(() => undefined);
    await rm(this.#partPath, { force: true });
  }
}
