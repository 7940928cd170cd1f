import { PassThrough, Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import fc from 'fast-check';
import { captureItems, CaptureReadError, readCapture } from '../../src/ws-gateway/capture-reader.js';
import type { FrameSource, SourceItem } from '../../src/ws-gateway/frame-source.js';

async function all(source: FrameSource): Promise<SourceItem[]> {
  const items: SourceItem[] = [];
  for await (const batch of source) items.push(...batch);
  return items;
}

const read = (...chunks: readonly (string | Buffer)[]) => all(captureItems(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), 'test'));
const brief = (items: readonly SourceItem[]) => items.map((item) => [item.lineNumber, item.kind === 'frame' ? item.receivedAtMs : item.reason]);
const LINE = '{"receivedAt":7,"frame":{"topic":"order","data":[]}}';

describe('capture reader', () => {
  it('reads lines, numbered as in the file, and passes over empty ones', async () => {
    expect(brief(await read(`${LINE}\n\n${LINE}\r\nbad\n   \n${LINE}`))).to.deep.equal([[1, 7], [3, 7], [4, 'NotJson'], [6, 7]]);
  });

  it('keeps the bytes of a line', async () => {
    const items = await read(`{"receivedAt":7,"frame":{}} \nbad\t\r\n`);
    expect(items.map((item) => Buffer.from(item.raw).toString())).to.deep.equal(['{"receivedAt":7,"frame":{}} ', 'bad\t\r']);
  });

  it('reads nothing out of nothing', async () => {
    expect(await read()).to.deep.equal([]);
    expect(await read('')).to.deep.equal([]);
    expect(await read('\n')).to.deep.equal([]);
  });

  it('forgives a byte order mark', async () => {
    expect(brief(await read(`\ufeff${LINE}\n`))).to.deep.equal([[1, 7]]);
  });

  it('reads an account, and times in text', async () => {
    const [item] = await read('{"receivedAt":"7","account":"desk","frame":{}}');
    expect(item).to.include({ receivedAtMs: 7, account: 'desk' });
  });

  it('reads gzip, of several members too, told by its first bytes alone', async () => {
    const file = Buffer.concat([gzipSync(`${LINE}\n`), gzipSync(`${LINE}\n${LINE}\n`)]);
    expect(brief(await read(file.subarray(0, 1), file.subarray(1, 9), file.subarray(9)))).to.deep.equal([[1, 7], [2, 7], [3, 7]]);
  });

  it('gives the same items wherever the input is cut', async () => {
    const text = Buffer.from(`${LINE}\n\n{"receivedAt":8,"frame":{"x":"€äß"}}\nbad\n${LINE}`);
    const expected = await read(text);
    await fc.assert(fc.asyncProperty(fc.array(fc.nat(text.length)), fc.boolean(), async (cuts, isCompressed) => {
      const file = isCompressed ? gzipSync(text) : text;
      const places = [0, ...cuts.filter((cut) => cut < file.length).sort((a, b) => a - b), file.length];
      const items = await read(...places.slice(1).map((end, index) => file.subarray(places[index], end)));
      expect(items.map((item) => ({ ...item, raw: Buffer.from(item.raw).toString() }))).to.deep.equal(expected.map((item) => ({ ...item, raw: Buffer.from(item.raw).toString() })));
    }), { numRuns: 60 });
  });

  it('refuses a line of 9 MB, keeps its beginning, and goes on', async () => {
    const huge = Buffer.alloc(9 * 1024 * 1024, 'x');
    const items = await read(`${LINE}\n`, huge.subarray(0, 5_000_000), huge.subarray(5_000_000), `\n${LINE}\n`);
    expect(brief(items)).to.deep.equal([[1, 7], [2, 'LineTooLong'], [3, 7]]);
    expect(items[1]?.raw.length).to.equal(8 * 1024 * 1024);
  });

  it('holds no more than an unfinished line of an endless one', async () => {
    let given = 0;
    const endless = Readable.from((function* () {
      for (; given < 400; given++) yield Buffer.alloc(1024 * 1024, 'x');
    })());
    const before = process.memoryUsage().arrayBuffers;
    let highest = 0;
    const watch = setInterval(() => (highest = Math.max(highest, process.memoryUsage().arrayBuffers)), 1);
    const items = await all(captureItems(endless, 'test'));
    clearInterval(watch);
    expect(brief(items)).to.deep.equal([[1, 'LineTooLong']]);
    expect(Math.max(highest, process.memoryUsage().arrayBuffers) - before).to.be.below(200 * 1024 * 1024);
  });

  it('says after which line a compressed file breaks off', async () => {
    const lines = Array.from({ length: 50_000 }, (_, index) => `{"receivedAt":${index},"frame":{"n":${Math.sin(index)}}}`).join('\n');
    const file = gzipSync(lines);
    const items: SourceItem[] = [];
    let error: unknown;
    try {
      for await (const batch of captureItems(Readable.from([file.subarray(0, file.length - 1_000)]), 'torn.gz')) items.push(...batch);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).to.be.instanceOf(CaptureReadError);
    expect((error as Error).message).to.match(/^cannot read torn\.gz after line \d+: unexpected end of file$/);
    expect(items.length).to.be.greaterThan(1_000);
  });

  it('refuses a line of the year 2100 amid others', async () => {
    expect(brief(await read(`${LINE}\n${LINE}\n${LINE.replace('7', '4102444800000')}\n${LINE}\n`))).to.deep.equal([[1, 7], [2, 7], [3, 'BadTime'], [4, 7]]);
  });

  it('says what is wrong with a file that is not there', async () => {
    let error: unknown;
    try {
      await all(readCapture('/no/such/file.jsonl'));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).to.be.instanceOf(CaptureReadError);
    expect((error as Error).message).to.include('/no/such/file.jsonl');
  });

  it('hands lines on as they come, without waiting for more', async () => {
    const input = new PassThrough();
    const source = captureItems(input, 'test')[Symbol.asyncIterator]();
    // Of the first line it takes the second one to know whether its time can be.
    input.write(`${LINE}\n${LINE}\n`);
    expect(brief((await source.next()).value as SourceItem[])).to.deep.equal([[1, 7], [2, 7]]);
    input.write(`${LINE}\n`);
    expect(brief((await source.next()).value as SourceItem[])).to.deep.equal([[3, 7]]);
    input.end(LINE);
    expect(brief((await source.next()).value as SourceItem[])).to.deep.equal([[4, 7]]);
    expect((await source.next()).done).to.equal(true);
  });

  it('reads a capture file', async () => {
    const path = fileURLToPath(new URL('../captures/clean/frames.jsonl.gz', import.meta.url));
    const items = await all(readCapture(path));
    expect(items).to.have.length(gunzipSync(readFileSync(path)).toString().trim().split('\n').length);
    expect(items.every((item) => item.kind === 'frame')).to.equal(true);
  });
});
