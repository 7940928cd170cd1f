import { expect } from 'chai';
import { isMeant, type LetterFilter } from '../../src/dead-letters/letter-filter.js';
import { Mailbox } from '../../src/dead-letters/mailbox.js';
import { planReplay, replayLetters, type ReplayOptions } from '../../src/dead-letters/replay-letters.js';
import type { LogRecord } from '../../src/kafka/record.js';
import { deadLetterHeaders, type FailureStage } from '../../src/runtime/dead-letter.js';
import { MemoryLog } from '../../src/runtime/memory-log.js';

const ALL: LetterFilter = { topic: null, asset: null, key: null, stage: null, exception: null, ids: [] };
const NAMESPACE = 'n';
const TOPIC = 'n.ws-gateway.order';

/** A log with `records` in one partition, each of which is a dead letter too. */
function logWith(values: readonly (Buffer | null)[], stage: FailureStage = 'decode', letterValue: (value: Buffer | null) => Buffer | null = (value) => value): MemoryLog {
  const log = new MemoryLog({ hasMarkers: true });
  for (const topic of [TOPIC, `${TOPIC}.dead_letters`]) log.createTopic(topic, 3);
  values.forEach((value, index) => {
    const record: LogRecord = { topic: TOPIC, partition: 2, offset: index, timestampMs: 1_000 + index, key: Buffer.from(index % 2 === 0 ? 'BTCUSDT' : 'ETHUSDT'), value, headers: [['traceparent', Buffer.from('t')]] };
    log.append([record]);
    log.append([{ ...record, topic: `${TOPIC}.dead_letters`, value: letterValue(value), headers: [...record.headers, ...deadLetterHeaders(record, stage, `Error${index}`, 'because')] }]);
  });
  return log;
}

function optionsFor(log: MemoryLog, filter: Partial<LetterFilter> = {}, superseded: readonly string[] = []): ReplayOptions {
  return { log, namespace: NAMESPACE, topics: ['ws-gateway.order.dead_letters'], filter: { ...ALL, ...filter }, superseded: () => Promise.resolve(new Set(superseded)) };
}

describe('dead letters', () => {
  it('are one a record, with the reason and the place it came from', async () => {
    const log = logWith([Buffer.from('x')]);
    const [letter] = log.records(`${TOPIC}.dead_letters`, 2);
    log.append([letter as LogRecord]);
    const letters = await new Mailbox(log, NAMESPACE, ['ws-gateway.order.dead_letters']).letters();
    expect(letters).to.have.length(1);
    expect(letters[0]).to.deep.include({ id: 'ws-gateway.order/2/0', stage: 'decode', exception: 'Error0', message: 'because', size: 1, copies: 2, isReplayed: false, replayOf: null });
    expect(letters[0]?.origin).to.deep.equal({ topic: 'ws-gateway.order', partition: 2, offset: 0 });
    expect(letters[0]?.headers).to.deep.equal([['traceparent', 't']]);
  });

  it('are written again where they came from, bytes unchanged, and say what they repeat', async () => {
    const bytes = Buffer.from([0, 1, 255, 254]);
    const log = logWith([bytes]);
    await replayLetters(optionsFor(log));
    const records = log.records(TOPIC, 2);
    expect(records).to.have.length(2);
    expect(records[1]?.value).to.deep.equal(bytes);
    expect(records[1]?.key).to.deep.equal(Buffer.from('BTCUSDT'));
    expect(records[1]?.timestampMs).to.equal(1_000);
    expect(records[1]?.headers.map(([name, value]) => [name, Buffer.from(value).toString()])).to.deep.equal([['traceparent', 't'], ['__streams.replay.of', 'ws-gateway.order/2/0']]);
  });

  it('are replayed once: the second replay tells so and writes nothing', async () => {
    const log = logWith([Buffer.from('x'), Buffer.from('y')]);
    expect((await replayLetters(optionsFor(log))).replay).to.have.length(2);
    const second = await replayLetters(optionsFor(log));
    expect(second.replay).to.deep.equal([]);
    expect(second.left.map(({ because }) => because)).to.deep.equal(['replayed-before', 'replayed-before']);
    expect(log.records(TOPIC, 2)).to.have.length(4);
    const letters = await new Mailbox(log, NAMESPACE, ['ws-gateway.order.dead_letters']).letters();
    expect(letters.map(({ isReplayed }) => isReplayed)).to.deep.equal([true, true]);
  });

  it('stay when only the plan is wanted', async () => {
    const log = logWith([Buffer.from('x')]);
    expect((await planReplay(optionsFor(log))).replay.map(({ id }) => id)).to.deep.equal(['ws-gateway.order/2/0']);
    expect(log.records(TOPIC, 2)).to.have.length(1);
  });

  it('too large for a letter are taken from where they lie', async () => {
    const log = logWith([Buffer.from('large')], 'sink', () => null);
    await replayLetters(optionsFor(log));
    expect(log.records(TOPIC, 2)[1]?.value).to.deep.equal(Buffer.from('large'));
  });

  it('of a row that was replaced since, and lines that never were records, are left', async () => {
    const log = logWith([Buffer.from('x')]);
    log.append([{ topic: `${TOPIC}.dead_letters`, partition: 0, timestampMs: 5, key: null, value: Buffer.from('{'), headers: [['__streams.errors.exception', Buffer.from('not_json')], ['__streams.errors.stage', Buffer.from('ws-gateway')]] }]);
    const plan = await replayLetters(optionsFor(log, {}, ['ws-gateway.order/2/0']));
    expect(plan.replay).to.deep.equal([]);
    expect(plan.left.map(({ because }) => because).sort()).to.deep.equal(['no-record', 'superseded']);
    expect(log.records(TOPIC, 2)).to.have.length(1);
  });

  it('that fail again are letters of their own, which name the first', async () => {
    const log = logWith([Buffer.from('x')]);
    await replayLetters(optionsFor(log));
    const again = log.records(TOPIC, 2)[1] as LogRecord;
    log.append([{ ...again, topic: `${TOPIC}.dead_letters`, headers: [...again.headers, ...deadLetterHeaders(again, 'decode', 'Error', 'still')] }]);
    const letters = await new Mailbox(log, NAMESPACE, ['ws-gateway.order.dead_letters']).letters();
    expect(letters.map(({ id, replayOf, isReplayed }) => ({ id, replayOf, isReplayed }))).to.deep.equal([
      { id: 'ws-gateway.order/2/0', replayOf: null, isReplayed: true },
      { id: `ws-gateway.order/2/${again.offset}`, replayOf: 'ws-gateway.order/2/0', isReplayed: false },
    ]);
  });

  const cases: readonly [string, Partial<LetterFilter>, number][] = [
    ['all', {}, 4], ['a topic', { topic: 'ws-gateway.order' }, 4], ['its dead letters', { topic: 'ws-gateway.order.dead_letters' }, 4], ['another topic', { topic: 'ws-gateway.position' }, 0],
    ['an asset', { asset: 'BTCUSDT' }, 2], ['a key', { key: 'ETHUSDT' }, 2], ['a stage', { stage: 'sink' }, 0], ['an exception', { exception: 'Error3' }, 1], ['the beginning of one', { exception: 'Err' }, 4],
    ['a place', { ids: ['ws-gateway.order/2/1'] }, 1], ['the place of the letter', { ids: ['ws-gateway.order.dead_letters/2/2'] }, 1],
  ];
  for (const [what, filter, count] of cases) {
    it(`are found by ${what}`, async () => {
      const letters = await new Mailbox(logWith(['a', 'b', 'c', 'd'].map((text) => Buffer.from(text))), NAMESPACE, ['ws-gateway.order.dead_letters']).letters();
      expect(letters.filter((letter) => isMeant(letter, { ...ALL, ...filter }))).to.have.length(count);
    });
  }
});
