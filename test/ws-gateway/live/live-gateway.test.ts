import { expect } from 'chai';
import { captureLine } from '../../../src/ws-gateway/live/capture-text.js';
import { LiveGateway } from '../../../src/ws-gateway/live/live-gateway.js';
import { executionRow, orderRow } from '../exchange-rows.js';
import { RecordingWriter } from '../recording-writer.js';

const T0 = 1_767_225_600_000;

function gateway(known: ReadonlyMap<string, number> = new Map()) {
  const writer = new RecordingWriter();
  const seen: string[] = [];
  const live = new LiveGateway(
    {
      partitions: 2, skewAllowanceMs: 500, joinWindowMs: 5_000, reachedMs: [null, null], partitionOf: () => 1, encode: () => Buffer.from('w'),
      onRecord: (record) => void seen.push(record.type), knownTimes: () => known,
    },
    writer,
  );
  live.begin(T0);
  return { writer, live, seen };
}

const frame = (topic: string, ...data: object[]): string => JSON.stringify({ topic, creationTime: T0, data });

describe('live gateway', () => {
  it('begins every partition with a watermark, and writes records with their account and where they came from', () => {
    const { writer, live, seen } = gateway();
    expect(writer.records.map(({ topic, partition }) => `${topic}/${partition}`)).to.deep.equal([
      'ws-gateway.order/0', 'ws-gateway.execution/0', 'ws-gateway.position/0', 'ws-gateway.order/1', 'ws-gateway.execution/1', 'ws-gateway.position/1',
    ]);
    live.accept(captureLine(frame('order', orderRow()), 'a', 'stream', T0), true);
    live.accept(captureLine(frame('execution.linear', executionRow()), 'a', 'history', T0), true);
    live.accept(captureLine(frame('execution.linear', executionRow({ execType: 'Funding' })), 'a', 'transaction_log', T0), true);
    const values = writer.records.slice(6).map(({ type, value }) => [type, (value as { account: string }).account, (value as { source: string }).source]);
    expect(values).to.deep.equal([['OrderUpdate', 'a', 'stream'], ['Execution', 'a', 'history'], ['Execution', 'a', 'transaction_log']]);
    expect(seen).to.deep.equal(['OrderUpdate', 'Execution', 'Execution']);
  });

  it('writes no watermark while they are held, and those that are due before the next record', () => {
    const { writer, live } = gateway();
    const line = (receivedMs: number): string => captureLine(frame('order', orderRow()), 'a', 'stream', receivedMs);
    live.accept(line(T0 + 1_000), true);
    live.accept(line(T0 + 2_000), true);
    expect(writer.of('ws-gateway.order', 1).map(({ type }) => type)).to.deep.equal(['Watermark', 'OrderUpdate', 'OrderUpdate']);
    live.accept(line(T0 + 3_000), false);
    expect(writer.of('ws-gateway.order', 1).slice(3).map(({ type, timestampMs }) => [type, timestampMs])).to.deep.equal([['Watermark', T0 + 2_500], ['OrderUpdate', 1_767_225_600_290]]);
  });

  it('tells a successor up to when each account is known, never further than the watermark', () => {
    const { writer, live } = gateway(new Map([['a', T0 + 100], ['b', T0 + 99_999]]));
    live.tick(T0 + 10_000);
    const last = writer.of('ws-gateway.order', 0).at(-1);
    expect(JSON.parse(last?.headers['ws-gateway.known'] ?? '')).to.deep.equal({ a: T0 + 100, b: T0 + 9_500 });
  });

  it('keeps what it cannot read, bytes unchanged', () => {
    const { writer, live } = gateway();
    live.accept('{"topic":"order","da', false);
    const bad = captureLine(frame('order', orderRow({ qty: 'x' }), orderRow()), 'a', 'stream', T0);
    live.accept(bad, false);
    const letters = writer.of('ws-gateway.dead_letters');
    expect(letters.map(({ value }) => value)).to.deep.equal(['{"topic":"order","da', bad]);
    expect(letters.map(({ headers }) => headers['__streams.errors.exception'])).to.deep.equal(['NotJson', 'BadNumber']);
    expect(live.counts).to.deep.include({ frames: 1, records: 1, deadLetters: 2 });
  });
});
