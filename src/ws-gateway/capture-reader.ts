import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { GuidedError } from '../config/guided-error.js';
import { parseCaptureLine } from './capture-line.js';
import type { FrameSource, SourceItem } from './frame-source.js';
import { ReceiveTimeGuard } from './receive-time-guard.js';

/** Longer lines are no frames. A dead letter of this size is still taken by its topic; of a longer line it holds the beginning. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = 0xfeff;

/** The capture cannot be read on: no such file, no permission, a compressed file that ends too early. */
export class CaptureReadError extends GuidedError {
  override name = 'CaptureReadError';
}

/**
 * Frames of a capture file, plain or compressed with gzip (told by its first bytes); - is standard input. The signal ends
 * it, also while it waits for input.
 */
export function readCapture(path: string, signal?: AbortSignal): FrameSource {
  const input = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: CHUNK_BYTES });
  signal?.addEventListener('abort', () => input.destroy(), { once: true });
  return captureItems(input, path === '-' ? 'standard input' : path);
}

/** Frames of any stream of bytes; `name` is for errors. */
export async function* captureItems(input: Readable, name: string): AsyncGenerator<readonly SourceItem[]> {
  const lines = new LineReader();
  const guard = new ReceiveTimeGuard();
  try {
    for await (const chunk of decompressed(input)) {
      const items = lines.push(chunk).flatMap((item) => guard.push(item));
      if (items.length > 0) yield items;
    }
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error));
    const nextStep =
      lines.lineCount === 0
        ? 'name a file that can be read, or - for standard input'
        : 'the lines before it were taken, without a closing watermark; mend the file and give it again (for a torn .gz: `zcat FILE | position-linker ingest --capture -`): repeated records are harmless';
    throw new CaptureReadError(`cannot read ${name}${lines.lineCount === 0 ? '' : ` after line ${lines.lineCount}`}: ${cause.message}`, nextStep, { cause });
  }
  const rest = [...lines.end().flatMap((item) => guard.push(item)), ...guard.end()];
  if (rest.length > 0) yield rest;
}

async function* decompressed(input: Readable): AsyncGenerator<Buffer> {
  const chunks = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let head = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  const rest = prepended(head, chunks);
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* rest;
    return;
  }
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  // Errors come out of the iteration below; pipeline only makes sure that both ends are closed.
  pipeline(Readable.from(rest), gunzip, () => {});
  yield* gunzip;
}

async function* prepended(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

/** Cuts bytes into lines and reads them; holds at most one unfinished line. */
class LineReader {
  lineCount = 0;
  #parts: Buffer[] = [];
  #partBytes = 0;

  push(chunk: Buffer): SourceItem[] {
    const items: SourceItem[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#line(chunk.subarray(start, end), items);
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    return items;
  }

  end(): SourceItem[] {
    const items: SourceItem[] = [];
    if (this.#partBytes > 0) this.#line(Buffer.alloc(0), items);
    return items;
  }

  #keep(part: Buffer): void {
    if (this.#partBytes <= MAX_LINE_BYTES) this.#parts.push(part);
    this.#partBytes += part.length;
  }

  #line(last: Buffer, items: SourceItem[]): void {
    this.lineCount++;
    let bytes = last;
    let length = last.length;
    if (this.#partBytes > 0) {
      this.#keep(last);
      length = this.#partBytes;
      bytes = Buffer.concat(this.#parts);
      this.#parts = [];
      this.#partBytes = 0;
    }
    const item = length > MAX_LINE_BYTES ? tooLong(bytes, length, this.lineCount) : readLine(bytes, this.lineCount);
    if (item !== null) items.push(item);
  }
}

function tooLong(bytes: Buffer, length: number, lineNumber: number): SourceItem {
  const message = `the line has ${length} bytes, at most ${MAX_LINE_BYTES} are read and kept`;
  return { kind: 'unreadable', reason: 'LineTooLong', message, raw: Buffer.from(bytes.subarray(0, MAX_LINE_BYTES)), lineNumber };
}

/** Null for an empty line. */
function readLine(bytes: Buffer, lineNumber: number): SourceItem | null {
  let text = bytes.toString('utf8');
  if (lineNumber === 1 && text.charCodeAt(0) === BYTE_ORDER_MARK) text = text.slice(1);
  if (text.trim() === '') return null;
  const line = parseCaptureLine(text);
  if (line.kind === 'unreadable') return { kind: 'unreadable', reason: line.reason, message: line.message, raw: bytes, lineNumber };
  return { kind: 'frame', receivedAtMs: line.receivedAtMs, frame: line.frame, account: line.account, source: line.source, rowIndexes: line.rowIndexes, raw: bytes, lineNumber };
}
