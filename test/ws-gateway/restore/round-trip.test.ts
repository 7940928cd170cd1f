import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { openLocalCodec } from '../../../src/replay/replay.js';
import { ingestIntoMemory, type CaptureInput } from '../../../src/replay/capture-source.js';
import { MemoryLog } from '../../../src/runtime/memory-log.js';
import { DEAD_LETTER_TOPIC, SOURCE_TOPICS } from '../../../src/ws-gateway/gateway.js';
import { restoreSession, type RestoredSession } from '../../../src/ws-gateway/restore/restored-session.js';
import { topicQueues } from '../../../src/ws-gateway/restore/topic-queue.js';
import { captureFile } from '../../captures/captures.js';
import { Random } from '../../simulator/random.js';
import { scenario } from '../../simulator/scenarios.js';
import { simulate } from '../../simulator/simulate.js';

const codec = openLocalCodec();
const TOPICS = [...SOURCE_TOPICS, DEAD_LETTER_TOPIC];

async function ingested(input: CaptureInput, partitions: number, options: { readonly continues?: boolean; readonly account?: string } = {}): Promise<MemoryLog> {
  const log = new MemoryLog({ defaultPartitions: partitions });
  await ingestIntoMemory(input, log, await codec, { account: options.account ?? null, partitions, skewAllowanceMs: 500, joinWindowMs: 5_000, continues: options.continues ?? false });
  return log;
}

async function restored(log: MemoryLog, partitions: number): Promise<RestoredSession & { readonly lines: string[] }> {
  const { queues } = await topicQueues({ log, codec: await codec, namespace: null }, partitions);
  const lines: string[] = [];
  const session = await restoreSession(queues, (line) => lines.push(line.toString()), { skewAllowanceMs: 500, joinWindowMs: 5_000 });
  return { ...session, lines };
}

/** Every byte of every record, by topic and partition. */
function digests(log: MemoryLog, partitions: number): Record<string, string> {
  return Object.fromEntries(TOPICS.flatMap((topic) => Array.from({ length: partitions }, (_, partition) => {
    const hash = createHash('sha256');
    const records = log.records(topic, partition);
    for (const { offset, timestampMs, key, value, headers } of records) hash.update(JSON.stringify([offset, timestampMs, key, value, headers].map((part) => (part instanceof Uint8Array ? Buffer.from(part).toString('hex') : part))));
    return [`${topic}/${partition}`, `${records.length} ${hash.digest('hex')}`];
  })));
}

async function expectRoundTrip(input: CaptureInput, partitions: number, continues = false): Promise<RestoredSession & { readonly lines: string[] }> {
  const log = await ingested(input, partitions, { continues });
  const session = await restored(log, partitions);
  expect(session.isClosed).to.equal(!continues);
  const again = await ingested({ lines: session.lines }, partitions, { continues });
  expect(digests(again, partitions)).to.deep.equal(digests(log, partitions));
  return session;
}

/** Records in their order, watermarks left out, by topic and partition. */
function withoutWatermarks(log: MemoryLog): Record<string, string[]> {
  return Object.fromEntries(SOURCE_TOPICS.flatMap((topic) => [0, 1, 2].map((partition) => [
    `${topic}/${partition}`, log.records(topic, partition).filter(({ key }) => key !== null).map(({ value }) => createHash('sha256').update(value as Uint8Array).digest('hex')),
  ])));
}

/** A session, and then an older one into the same topics. */
async function afterAnother(): Promise<MemoryLog> {
  const log = await ingested({ lines: simulate(scenario('skew', 5, { orders: 5 })).lines }, 3);
  await ingestIntoMemory({ lines: simulate(scenario('partials', 5, { orders: 5 })).lines }, log, await codec, { account: 'other', partitions: 3, skewAllowanceMs: 500, joinWindowMs: 5_000, continues: false });
  return log;
}

describe('a session brought back from its topics', () => {
  for (const name of ['odd-rows', 'orders-only']) {
    it(`gives the same topics again: ${name}`, async () => {
      await expectRoundTrip({ path: captureFile(name).pathname }, 3);
    });
  }

  it('does so on one partition, and for a session that goes on', async () => {
    await expectRoundTrip({ lines: simulate(scenario('hedge', 2, { orders: 8 })).lines }, 1, true);
  });

  it('brings bad lines and bad rows back, byte for byte and at their numbers', async () => {
    const { lines } = simulate(scenario('bad-input', 3, { orders: 10 }));
    const { deadLetters } = await expectRoundTrip({ lines }, 3);
    expect(deadLetters).to.be.greaterThan(2);
  });

  it('keeps its hands off frames of equal ids, of rows in several partitions, and repeated at once', async () => {
    const { lines } = simulate(scenario('everything', 5, { orders: 6 }));
    const together = lines.map((line) => line.replace(/"receivedAt":(\d+)\d\d\d/, (_all, digits: string) => `"receivedAt":${digits}000`));
    await expectRoundTrip({ lines: together.flatMap((line, index) => (index % 7 === 0 ? [line, line] : [line])) }, 3);
  });

  it('says which rows of a frame it holds, where the topics no longer hold all of it', async () => {
    const { lines } = simulate(scenario('partials', 6, { orders: 5 }));
    const { receivedAt, frame } = JSON.parse(lines.find((line) => line.includes('"topic":"execution"'))!) as { receivedAt: number; frame: { data: { symbol: string }[] } };
    const rows = ['BTCUSDT', 'SOLUSDT', 'ETHUSDT', 'XRPUSDT'].map((symbol, index) => ({ ...frame.data[0], symbol, execId: `e${index}` }));
    const log = await ingested({ lines: [JSON.stringify({ receivedAt, frame: { ...frame, data: rows } })] }, 8);
    const kept = new MemoryLog({ defaultPartitions: 8 });
    const gone = Buffer.from('SOLUSDT');
    for (const topic of SOURCE_TOPICS) for (let partition = 0; partition < 8; partition++) kept.append(log.records(topic, partition).filter(({ key }) => key === null || !gone.equals(key)));
    const { lines: told } = await restored(kept, 8);
    expect(told.map((line) => (JSON.parse(line) as { rows?: number[] }).rows)).to.deep.equal([[0, 2, 3]]);
    const again = await ingested({ lines: told }, 8);
    expect(digests(again, 8)).to.deep.equal(digests(kept, 8));
  });

  it('gives the same records in the same places, but for watermarks, where these followed a clock, or two sessions follow each other', async () => {
    const recorded = await ingested({ lines: simulate(scenario('skew', 4, { orders: 8 })).lines }, 3);
    const live = new MemoryLog({ defaultPartitions: 3 });
    const random = new Random(7, 7);
    const read = await codec;
    for (const topic of TOPICS) {
      for (let partition = 0; partition < 3; partition++) {
        for (const record of recorded.records(topic, partition)) {
          const isWatermark = record.key === null && topic !== DEAD_LETTER_TOPIC;
          if (!isWatermark || random.chance(0.5)) live.append([record]);
          if (isWatermark && random.chance(0.1)) live.append([{ ...record, value: read.encode('Watermark', { watermark_at: record.timestampMs + 1_700 }) }]);
        }
      }
    }
    for (const log of [live, await afterAnother()]) {
      const { lines } = await restored(log, 3);
      expect(withoutWatermarks(await ingested({ lines }, 3))).to.deep.equal(withoutWatermarks(log));
    }
  });

  it('writes what was received late where the log has it', async () => {
    const { lines } = simulate(scenario('partials', 6, { orders: 12 }));
    const moved = [...lines];
    for (let at = 40; at + 30 < moved.length; at += 40) moved.splice(at + 25, 0, ...moved.splice(at, 1));
    await expectRoundTrip({ lines: moved }, 1);
  });
});
