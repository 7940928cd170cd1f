import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { topologies } from '../../src/cli/role-table.js';
import { MemoryLog } from '../../src/runtime/memory-log.js';
import type { ReplayResult } from '../../src/replay/replay.js';
import type { Topology } from '../../src/runtime/processor.js';
import type { Pick } from '../../src/replay/memory-pipeline.js';
import { DEFAULTS, finalRows, replaySession } from './replay-session.js';

const capture = (name: string): { readonly path: string } => ({ path: new URL(`../captures/${name}/frames.jsonl.gz`, import.meta.url).pathname });

/** A small generator of its own, so that a failure names nothing but its seed. */
function pickFrom(seed: number): Pick {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

function outputLines(log: MemoryLog, partitions = 3): readonly string[] {
  const topics = log.topicNames().filter((topic) => !topic.endsWith('.changelog'));
  return topics.flatMap((topic) =>
    Array.from({ length: partitions }, (_, partition) => partition).flatMap((partition) =>
      log.records(topic, partition).map(({ offset, timestampMs, key, value }) => `${topic}/${partition}/${offset} ${timestampMs} ${hex(key)} ${hex(value)}`),
    ),
  );
}

function hex(bytes: Uint8Array | null): string {
  return bytes === null ? '-' : Buffer.from(bytes).toString('hex');
}

function asText(line: object): string {
  return JSON.stringify(line);
}

/** The roles without their lists of what they need of records. */
const readingAll = topologies(DEFAULTS).map(({ reads: _, ...topology }): Topology => topology);

describe('replay', () => {
  const sessions = ['hedge', 'stalls', 'mid-start'];

  for (const name of sessions) {
    it(`writes the same bytes for ${name} however tasks take turns, commit and die, and whether they read whole records or what they need of them`, async () => {
      const straight = await replaySession(capture(name), { isLogKept: true });
      const expected = outputLines(straight.log);
      expect(expected.length).to.be.greaterThan(1_000);
      const schedule = { pick: pickFrom(name.length), maxRecords: 40, commitOneIn: 3, restartOneIn: 12 };
      const picked = await replaySession(capture(name), { isLogKept: true, schedule: { schedule, turns: 600 }, topologies: readingAll });
      expect(outputLines(picked.log)).to.deep.equal(expected);
      expect(finalRows(picked)).to.deep.equal(finalRows(straight));
    });
  }

  it('restarts every task after every single entry without a difference', async () => {
    const lines = gunzipSync(readFileSync(capture('reversals').path)).toString('utf8').split('\n').slice(0, 90);
    const straight = await replaySession({ lines }, { partitions: 1, isLogKept: true });
    const schedule = { pick: pickFrom(3), maxRecords: 1, commitOneIn: 1, restartOneIn: 1 };
    const restarted = await replaySession({ lines }, { partitions: 1, isLogKept: true, schedule: { schedule, turns: 2_500 } });
    expect(straight.log.records('position-linker.position_orders', 0).length).to.be.greaterThan(80);
    expect(outputLines(restarted.log, 1)).to.deep.equal(outputLines(straight.log, 1));
  });

  it('ends with the same rows for any number of partitions', async () => {
    for (const name of ['skew']) {
      const results: ReplayResult[] = [];
      for (const partitions of [1, 3, 12]) results.push(await replaySession(capture(name), { partitions }));
      const [one, three, twelve] = results.map(finalRows);
      expect(three).to.deep.equal(one);
      expect(twelve).to.deep.equal(one);
      expect(one?.['position_orders']?.length).to.be.greaterThan(50);
    }
  });

  it('ends with the same rows when frames come late, out of order and twice', async () => {
    interface Line {
      readonly receivedAt: number;
    }
    for (const name of ['mid-start']) {
      const pick = pickFrom(name.length);
      const text = gunzipSync(readFileSync(capture(name).path)).toString('utf8');
      const lines = text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Line);
      const late = (line: Line): Line => ({ ...line, receivedAt: line.receivedAt + pick(12_000) });
      const shuffled = lines.flatMap((line) => (pick(8) === 0 ? [late(line), late(line)] : [late(line)])).sort((a, b) => a.receivedAt - b.receivedAt);
      const [before, after] = [await replaySession({ lines: lines.map(asText) }), await replaySession({ lines: shuffled.map(asText) }, { partitions: 1 })].map(finalRows);
      for (const table of Object.keys(before ?? {})) {
        // What was explained in the meantime is history; the other rows are a function of the set of frames.
        if (table !== 'position_discrepancies') expect(after?.[table], `${name} ${table}`).to.have.members([...(before?.[table] ?? [])]);
      }
    }
  });

  it('adds up to what the exchange says', async () => {
    for (const name of ['funding', 'inverse']) {
      const { reconciliation } = await replaySession(capture(name));
      expect(reconciliation.length).to.be.greaterThan(0);
      for (const { coin, results, exchange, books, unknownBooks } of reconciliation) {
        const error = results > exchange ? results - exchange : exchange - results;
        expect(error < 10n ** 11n, `${name} ${coin}: ${results} against ${exchange}`).to.equal(true);
        expect(exchange).not.to.equal(0n);
        expect([books > 0, unknownBooks]).to.deep.equal([true, 0]);
      }
    }
  });

  it('says how many records wait when the session is to continue', async () => {
    const whole = await replaySession(capture('skew'));
    const continued = await replaySession(capture('skew'), { continues: true });
    expect(whole.heldRecords).to.equal(0);
    expect(continued.heldRecords).to.be.greaterThan(0);
  });

  it('goes on over lines that are no frames, and names them', async () => {
    const lines = ['{ no json', '{"receivedAt":1767225600577,"frame":{"topic":"order","id":"a","creationTime":1767225600577,"data":[]}}', '{"receivedAt":1,"frame":7}'];
    const { counts } = await replaySession({ lines });
    expect(counts.frames).to.be.greaterThan(0);
    expect(counts.deadLetters).to.equal(2);
  });

  it('forgets what it has read, and ends with the same rows', async () => {
    const kept = await replaySession(capture('partials'), { isLogKept: true });
    const lean = await replaySession(capture('partials'));
    expect(finalRows(lean)).to.deep.equal(finalRows(kept));
    const left = lean.log.topicNames().reduce((sum, topic) => sum + [0, 1, 2].reduce((records, partition) => records + lean.log.records(topic, partition).length, 0), 0);
    expect(left).to.equal(0);
  });
});
