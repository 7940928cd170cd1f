import { expect } from 'chai';
import fc from 'fast-check';
import type { OutgoingRecord } from '../../src/kafka/record.js';
import { MemoryTask } from '../../src/replay/memory-task.js';
import { MemoryLog } from '../../src/runtime/memory-log.js';
import { ProcessorError, TaskCore } from '../../src/runtime/task-core.js';
import { toyCodec, toyRecord, toyTopology, toyWatermark, TOY_TOPICS } from './toy.js';

const OUTPUTS = ['toy.out', 'toy.table', 'toy.left.dead_letters', 'toy.right.dead_letters'];
const OPTIONS = { topology: toyTopology, partition: 0, namespace: null, codec: toyCodec, settings: { policy: 'pro-rata' } };

function toyLog(records: readonly OutgoingRecord[], hasMarkers = true): MemoryLog {
  const log = new MemoryLog({ hasMarkers });
  for (const topic of TOY_TOPICS) log.createTopic(topic, 1);
  log.append(records);
  return log;
}

/** Output records without offsets: where transactions end shifts those. */
function outputs(log: MemoryLog): readonly unknown[] {
  return OUTPUTS.flatMap((topic) =>
    log.records(topic, 0).map(({ key, value, timestampMs, headers }) => ({
      topic,
      timestampMs,
      key: key === null ? null : Buffer.from(key).toString('utf8'),
      value: value === null ? null : Buffer.from(value).toString('utf8'),
      headers: headers.map(([name, bytes]) => `${name}=${Buffer.from(bytes).toString('utf8')}`),
    })),
  );
}

function straight(records: readonly OutgoingRecord[]): readonly unknown[] {
  const log = toyLog(records);
  const task = new MemoryTask(log, OPTIONS);
  for (let input = 0; input < task.inputCount; input++) task.feed(input, 10_000);
  task.step(Number.POSITIVE_INFINITY);
  task.commit();
  return outputs(log);
}

const topic = fc.constantFrom('toy.left', 'toy.right');
const time = fc.nat(400);
const recordArbitrary: fc.Arbitrary<OutgoingRecord> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(topic, fc.constantFrom('A', 'B'), time).map(([name, asset, ms]) => toyRecord(name, asset, ms)) },
  { weight: 4, arbitrary: fc.tuple(topic, time).map(([name, ms]) => toyWatermark(name, ms)) },
  { weight: 1, arbitrary: topic.map((name) => toyRecord(name, 'A', 7, 'refuse')) },
  { weight: 1, arbitrary: topic.map((name) => ({ ...toyRecord(name, 'A', 9_000_000), value: Buffer.from('{ no json') })) },
  { weight: 1, arbitrary: topic.map((name) => ({ ...toyRecord(name, 'A', 5), headers: [['traceparent', Buffer.from('00-a-b-01')] as const] })) },
);
const sessionArbitrary = fc.array(recordArbitrary, { maxLength: 60 }).map((records) => [toyWatermark('toy.left', 0), toyWatermark('toy.right', 0), ...records]);

describe('task core', () => {
  it('writes the same bytes whatever the fetches, the commits and the places of restarts', () => {
    fc.assert(
      fc.property(sessionArbitrary, fc.infiniteStream(fc.nat(1_000_000)), (records, choices) => {
        const next = (bound: number): number => (choices.next().value as number) % bound;
        const log = toyLog(records);
        const task = new MemoryTask(log, OPTIONS);
        for (let round = 0; round < 60; round++) {
          task.feed(next(2), next(6));
          task.step(next(5));
          if (next(3) === 0) task.commit();
          if (next(4) === 0) task.restart();
        }
        task.restart();
        while (task.feed(0, 3) + task.feed(1, 5) + task.step(7) > 0) task.commit();
        task.commit();
        expect(outputs(log)).to.deep.equal(straight(records));
      }),
      { numRuns: 400 },
    );
  });

  it('restarts between any two records without a difference', () => {
    const records = Array.from({ length: 90 }, (_, index) => {
      const name = index % 5 < 3 ? 'toy.left' : 'toy.right';
      return index % 4 === 3 ? toyWatermark(name, index * 10) : toyRecord(name, index % 3 === 0 ? 'A' : 'B', index * 10 + ((index * 37) % 50));
    });
    records.unshift(toyWatermark('toy.left', 0), toyWatermark('toy.right', 0));
    records.push(toyWatermark('toy.left', 2_000), toyWatermark('toy.right', 2_000));
    const log = toyLog(records);
    const task = new MemoryTask(log, OPTIONS);
    for (;;) {
      task.feed(0, 10_000);
      task.feed(1, 10_000);
      if (task.step(1) === 0) break;
      task.commit();
      task.restart();
    }
    expect(outputs(log)).to.deep.equal(straight(records));
    expect(outputs(log).length).to.be.greaterThan(30);
  });

  it('forwards a watermark only when the processor lets it rise', () => {
    const seen = straight([
      toyWatermark('toy.left', 10),
      toyWatermark('toy.right', 10),
      toyRecord('toy.left', 'A', 20),
      toyWatermark('toy.left', 30),
      toyWatermark('toy.right', 30),
      toyRecord('toy.left', 'A', 40),
      toyWatermark('toy.left', 50),
      toyWatermark('toy.right', 50),
    ]) as { value: string; timestampMs: number }[];
    const watermarks = seen.filter(({ value }) => value.startsWith('["Watermark"')).map(({ timestampMs }) => timestampMs);
    expect(watermarks).to.deep.equal([10, 19, 50]);
  });

  it('copies the trace of the input to what it caused, and to nothing else', () => {
    const traced = { ...toyRecord('toy.left', 'A', 20), headers: [['traceparent', Buffer.from('00-t')] as const, ['other', Buffer.from('x')] as const] };
    const seen = straight([toyWatermark('toy.left', 10), toyWatermark('toy.right', 10), traced, toyRecord('toy.left', 'A', 21), toyWatermark('toy.right', 30), toyWatermark('toy.left', 30)]);
    expect(seen.map((record) => (record as { headers: string[] }).headers)).to.deep.equal([[], ['traceparent=00-t'], [], []]);
  });
});

describe('task core, dead letters', () => {
  const opening = [toyWatermark('toy.left', 10), toyWatermark('toy.right', 100)];
  const unreadable: readonly [what: string, record: OutgoingRecord, exception: string, stage: string][] = [
    ['bytes that do not decode', { ...toyRecord('toy.left', 'A', 20), value: Buffer.from('{ no json') }, 'SyntaxError', 'decode'],
    ['a tombstone', { ...toyRecord('toy.left', 'A', 20), value: null }, 'UnreadableRecordError', 'decode'],
    ['a record without a key', { ...toyRecord('toy.left', 'A', 20), key: null }, 'UnreadableRecordError', 'decode'],
    ['a key of another asset', { ...toyRecord('toy.left', 'A', 20), key: Buffer.from('B') }, 'UnreadableRecordError', 'decode'],
    ['what the processor refuses', toyRecord('toy.left', 'A', 20, 'refuse'), 'ToyRefusal', 'process'],
  ];
  for (const [what, record, exception, stage] of unreadable) {
    it(`takes ${what} with its bytes and the reason, and goes on`, () => {
      const log = toyLog([...opening, record, toyRecord('toy.left', 'A', 30)]);
      const task = new MemoryTask(log, OPTIONS);
      task.feed(0, 10);
      task.feed(1, 10);
      task.step(100);
      task.commit();
      const [letter, ...more] = log.records('toy.left.dead_letters', 0);
      expect(more).to.deep.equal([]);
      expect([letter?.key, letter?.value]).to.deep.equal([record.key, record.value]);
      const headers = Object.fromEntries((letter?.headers ?? []).map(([name, bytes]) => [name.replace('__streams.errors.', ''), Buffer.from(bytes).toString('utf8')]));
      expect(headers).to.deep.include({ exception, stage, topic: 'toy.left', partition: '0', offset: '1' });
      expect(headers['message']).to.be.a('string').and.not.equal('');
      expect(log.records('toy.out', 0).some(({ timestampMs }) => timestampMs === 30)).to.equal(true);
    });
  }

  it('does not trust the time of a record it cannot read', () => {
    const seen = straight([...opening, { ...toyRecord('toy.left', 'A', 99), value: Buffer.from('?') }, toyRecord('toy.left', 'A', 20)]);
    expect(seen.map((record) => (record as { timestampMs: number }).timestampMs)).to.include(20);
  });

  it('names the record that broke the processor, and takes it as a dead letter when told to', () => {
    const log = toyLog([...opening, toyRecord('toy.left', 'A', 20, 'throw'), toyRecord('toy.left', 'A', 30)]);
    const run = (task: MemoryTask): void => {
      task.feed(0, 10);
      task.feed(1, 10);
      task.step(100);
      task.commit();
    };
    const core = new TaskCore(OPTIONS);
    core.push(0, log.records('toy.left', 0), log.end('toy.left', 0));
    core.push(1, log.records('toy.right', 0), log.end('toy.right', 0));
    expect(() => core.step(100)).to.throw(ProcessorError).that.includes({ recordId: '0:1' });
    const task = new MemoryTask(log, OPTIONS);
    run(task);
    expect(log.records('toy.out', 0).length).to.equal(0);
    run(task);
    expect(log.records('toy.left.dead_letters', 0).length).to.equal(1);
    expect(log.records('toy.out', 0).map(({ timestampMs }) => timestampMs)).to.deep.equal([30]);
  });
});

describe('task core, settings', () => {
  it('refuses a start with other settings and names both', () => {
    const log = toyLog([toyWatermark('toy.left', 10), toyWatermark('toy.right', 10)]);
    const task = new MemoryTask(log, OPTIONS);
    task.feed(0, 1);
    task.feed(1, 1);
    task.step(10);
    task.commit();
    expect(() => new MemoryTask(log, { ...OPTIONS, settings: { policy: 'fifo' } })).to.throw('policy is pro-rata in the state and fifo in this start');
    expect(() => new MemoryTask(log, OPTIONS)).not.to.throw();
  });
});
