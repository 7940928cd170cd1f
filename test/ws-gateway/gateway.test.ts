import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { partitionOf } from '../../src/kafka/partitioner.js';
import { parseCaptureLine } from '../../src/ws-gateway/capture-line.js';
import type { SourceItem } from '../../src/ws-gateway/frame-source.js';
import { Gateway, NotACaptureError, SOURCE_TOPICS, type GatewayOptions } from '../../src/ws-gateway/gateway.js';
import { captureLine, CREATED_MS, executionRow, frameOf, orderRow, positionRow } from './exchange-rows.js';
import { RecordingWriter } from './recording-writer.js';

const PARTITIONS = 4;
const T0 = 1_767_225_600_300;

function item(text: string, lineNumber: number): SourceItem {
  const line = parseCaptureLine(text);
  const raw = Buffer.from(text);
  if (line.kind === 'unreadable') return { kind: 'unreadable', reason: line.reason, message: line.message, raw, lineNumber };
  return { kind: 'frame', receivedAtMs: line.receivedAtMs, frame: line.frame, account: line.account, raw, lineNumber };
}

function run(lines: readonly string[], options: Partial<GatewayOptions> = {}, continues = false): { readonly gateway: Gateway; readonly writer: RecordingWriter } {
  const writer = new RecordingWriter();
  const partitions = options.partitions ?? PARTITIONS;
  const gateway = new Gateway({ account: null, partitions, partitionOf: (asset) => partitionOf(asset, partitions), skewAllowanceMs: 500, joinWindowMs: 5_000, ...options }, writer);
  lines.forEach((line, index) => gateway.accept(item(line, index + 1)));
  gateway.finish(continues);
  return { gateway, writer };
}

function accounts(writer: RecordingWriter): unknown[] {
  return writer.records.filter((record) => record.type === 'OrderUpdate').map((record) => (record.value as { account: string }).account);
}

const order = (changes = {}, frame = {}) => frameOf('order', [orderRow(changes)], frame);

describe('gateway', () => {
  it('writes each row to its topic, into the partition of its asset, keyed by it, at its event time', () => {
    const { writer, gateway } = run([
      captureLine(T0, order()),
      captureLine(T0 + 1, frameOf('execution', [executionRow(), executionRow({ execId: 'exec-2', symbol: 'XRPUSDT', execTime: String(T0 - 7) })])),
      captureLine(T0 + 2, frameOf('position', [positionRow()])),
    ]);
    const rows = writer.records.filter((record) => record.type !== 'Watermark');
    expect(rows.map(({ topic, partition, key, type, timestampMs }) => [topic, partition, key, type, timestampMs])).to.deep.equal([
      ['ws-gateway.order', partitionOf('SOLUSDT', PARTITIONS), 'SOLUSDT', 'OrderUpdate', 1_767_225_600_290],
      ['ws-gateway.execution', partitionOf('SOLUSDT', PARTITIONS), 'SOLUSDT', 'Execution', 1_767_225_600_290],
      ['ws-gateway.execution', partitionOf('XRPUSDT', PARTITIONS), 'XRPUSDT', 'Execution', T0 - 7],
      ['ws-gateway.position', partitionOf('SOLUSDT', PARTITIONS), 'SOLUSDT', 'PositionUpdate', CREATED_MS],
    ]);
    expect(gateway.counts).to.deep.include({ frames: 3, records: { 'ws-gateway.order': 1, 'ws-gateway.execution': 2, 'ws-gateway.position': 1 }, deadLetters: 0 });
  });

  it('begins and ends every partition of every topic with the same watermarks, the closing one included', () => {
    const { writer, gateway } = run([captureLine(T0, order())]);
    for (const topic of ['ws-gateway.order', 'ws-gateway.execution', 'ws-gateway.position']) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const log = writer.of(topic, partition).filter((record) => record.type === 'Watermark');
        expect(log.map(({ key, value, timestampMs }) => [key, value, timestampMs])).to.deep.equal([
          [null, { watermark_at: T0 - 500 }, T0 - 500],
          [null, { watermark_at: T0 + 6_000 }, T0 + 6_000],
        ]);
        expect(writer.of(topic, partition)[0]?.type).to.equal('Watermark');
      }
    }
    expect(gateway.counts.watermarks).to.equal(2 * 3 * PARTITIONS);
  });

  it('leaves the closing watermark out where the session continues', () => {
    const { writer } = run([captureLine(T0, order())], {}, true);
    expect(writer.of('ws-gateway.order', 0)).to.have.length(1);
  });

  it('sends a bad line to the dead letters, bytes unchanged, with the reason and its number', () => {
    const bad = captureLine(T0 + 5, frameOf('order', [orderRow({ qty: 'x' }), orderRow(), orderRow({ side: '' })]));
    const { writer, gateway } = run([captureLine(T0, order()), '{"receivedAt": 1, ', bad, captureLine(T0 + 9, frameOf('wallet', []))]);
    const letters = writer.of('ws-gateway.dead_letters');
    expect(letters.map(({ partition, key, value, timestampMs, headers }) => ({ partition, key, value, timestampMs, headers }))).to.deep.equal([
      {
        partition: 0,
        key: null,
        value: '{"receivedAt": 1, ',
        timestampMs: T0,
        headers: { '__streams.errors.exception': 'NotJson', '__streams.errors.message': 'the line is not JSON', '__streams.errors.stage': 'ws-gateway', 'ws-gateway.line': '2' },
      },
      {
        partition: 0,
        key: null,
        value: bad,
        timestampMs: T0 + 5,
        headers: {
          '__streams.errors.exception': 'BadNumber',
          '__streams.errors.message': 'row 0: qty is not a decimal number: "x"; row 2: side is empty',
          '__streams.errors.stage': 'ws-gateway',
          'ws-gateway.line': '3',
          'ws-gateway.account': '70001',
        },
      },
      {
        partition: 0,
        key: null,
        value: captureLine(T0 + 9, frameOf('wallet', [])),
        timestampMs: T0 + 9,
        headers: {
          '__streams.errors.exception': 'UnknownTopic',
          '__streams.errors.message': 'topic "wallet" is not order, execution or position',
          '__streams.errors.stage': 'ws-gateway',
          'ws-gateway.line': '4',
          'ws-gateway.account': '70001',
        },
      },
    ]);
    expect(writer.records.filter((record) => record.type === 'OrderUpdate')).to.have.length(2);
    expect([...gateway.counts.rejected]).to.deep.equal([['NotJson', 1], ['BadNumber', 1], ['MissingField', 1], ['UnknownTopic', 1]]);
    expect(gateway.counts.deadLetters).to.equal(3);
  });

  it('takes watermarks from receive times alone, whatever other clocks say', () => {
    const honest = run([captureLine(T0, order()), captureLine(T0 + 900, order())]);
    const far = run([captureLine(T0, order({ updatedTime: T0 + 300 * 86_400_000 })), captureLine(T0 + 900, order({ updatedTime: '1' }))]);
    const watermarks = (writer: RecordingWriter) => writer.records.filter((record) => record.type === 'Watermark').slice(0, -3 * PARTITIONS);
    expect(watermarks(far.writer)).to.deep.equal(watermarks(honest.writer));
  });

  describe('names the account', () => {
    const anonymous = order({}, { id: '8d7f01d1-2457-4f6a-9b1e-0123456789ab' });
    const cases: readonly [string, readonly string[], string | null, readonly string[]][] = [
      ['by the option, before all else', [captureLine(T0, order(), { account: 'line' })], 'desk', ['desk']],
      ['by the line', [captureLine(T0, order(), { account: 'line' }), captureLine(T0, order())], null, ['line', '70001']],
      ['by the first id that has one, for lines before it too', [captureLine(T0, anonymous), captureLine(T0, frameOf('wallet', [], { id: '70002_wallet_1' })), captureLine(T0, order())], null, ['70002', '70002']],
      ['default, where nobody says one', [captureLine(T0, anonymous), captureLine(T0, anonymous)], null, ['default', 'default']],
    ];
    for (const [name, lines, account, expected] of cases) {
      it(name, () => expect(accounts(run(lines, { account }).writer)).to.deep.equal(expected));
    }

    it('without holding back more than 10,000 frames', () => {
      const writer = new RecordingWriter();
      const gateway = new Gateway({ account: null, partitions: 1, partitionOf: () => 0, skewAllowanceMs: 500, joinWindowMs: 5_000 }, writer);
      for (let line = 1; line < 10_000; line++) gateway.accept(item(captureLine(T0, anonymous), line));
      expect(accounts(writer)).to.have.length(0);
      gateway.accept(item(captureLine(T0, anonymous), 10_000));
      expect(new Set(accounts(writer))).to.deep.equal(new Set(['default']));
      expect(accounts(writer)).to.have.length(10_000);
    });
  });

  describe('refuses what is no capture', () => {
    for (const [name, lines, part] of [
      ['nothing at all', [], 'empty'],
      ['text', ['hello', 'world'], 'the line is not JSON (line 1)'],
      ['JSON of another kind', ['{"a":1}', '[]'], 'not an object with receivedAt and frame'],
      ['frames without receive times', ['{"frame":{}}'], 'receivedAt is missing'],
    ] as const) {
      it(name, () => expect(() => run(lines)).to.throw(NotACaptureError, part));
    }

    it('without writing anything, and without reading it to the end', () => {
      const writer = new RecordingWriter();
      const gateway = new Gateway({ account: 'desk', partitions: 1, partitionOf: () => 0, skewAllowanceMs: 500, joinWindowMs: 5_000 }, writer);
      expect(() => {
        for (let line = 1; line <= 10_000; line++) gateway.accept(item('nonsense', line));
      }).to.throw(NotACaptureError);
      expect(writer.records).to.have.length(0);
    });
  });

  it('keeps bad lines before the first good one', () => {
    const { writer } = run(['nonsense', captureLine(T0, order())]);
    expect(writer.of('ws-gateway.dead_letters').map(({ value, timestampMs }) => [value, timestampMs])).to.deep.equal([['nonsense', T0]]);
  });

  describe('with the sample captures', () => {
    const folder = new URL('../captures/', import.meta.url);
    const linesOf = (name: string) => gunzipSync(readFileSync(new URL(`${name}/frames.jsonl.gz`, folder))).toString('utf8').trim().split('\n');
    const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name);

    it('takes every row of every capture, and the same file gives the same topics', () => {
      expect(names.length).to.be.greaterThan(10);
      for (const name of names) {
        const lines = linesOf(name);
        const rows = lines.reduce((sum, line) => sum + (JSON.parse(line) as { frame: { data: unknown[] } }).frame.data.length, 0);
        const first = run(lines);
        const second = run(lines);
        expect(first.gateway.counts.rejected.size, name).to.equal(0);
        expect(Object.values(first.gateway.counts.records).reduce((a, b) => a + b, 0), name).to.equal(rows);
        for (const topic of SOURCE_TOPICS) for (let partition = 0; partition < PARTITIONS; partition++) expect(second.writer.text(topic, partition) === first.writer.text(topic, partition), name).to.equal(true);
        expect(accounts(first.writer).every((account) => account === '900000001'), name).to.equal(true);
      }
    });

    it('gives an asset the same records whatever the number of partitions', () => {
      const lines = linesOf('partials');
      const perAsset = (partitions: number) => {
        const { writer } = run(lines, { partitions });
        const byKey = new Map<string, unknown[]>();
        for (const record of writer.records) if (record.key !== null) byKey.set(`${record.topic} ${record.key}`, [...(byKey.get(`${record.topic} ${record.key}`) ?? []), record.value]);
        return byKey;
      };
      expect(perAsset(1)).to.deep.equal(perAsset(12));
    });
  });
});
