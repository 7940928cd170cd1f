import fc from 'fast-check';
import { expect } from 'chai';
import { Watermarks } from '../../src/ws-gateway/watermarks.js';

const PARTITIONS = 3;
const SKEW_MS = 500;
const WINDOW_MS = 5_000;
const T0 = 1_767_225_601_234;

/** Silence before the frame, partition of its record. */
const frames = fc.array(fc.tuple(fc.oneof(fc.nat(300), fc.nat(9_000), fc.nat(200_000)), fc.nat(PARTITIONS - 1)), { maxLength: 40 });

interface Entry {
  readonly receivedMs: number;
  readonly watermarkMs: number | null;
}

/** The log of one partition; `ticks`: time is told so often in between. */
function play(script: readonly (readonly [number, number])[], tickMs: number): Entry[][] {
  const logs: Entry[][] = Array.from({ length: PARTITIONS }, () => []);
  let nowMs = T0;
  const watermarks = new Watermarks({ partitions: PARTITIONS, topics: 1, skewAllowanceMs: SKEW_MS, joinWindowMs: WINDOW_MS }, (partition, watermarkMs) => logs[partition]?.push({ receivedMs: nowMs, watermarkMs }));
  watermarks.advance(nowMs);
  for (const [silenceMs, partition] of script) {
    for (const endMs = nowMs + silenceMs; nowMs < endMs; ) {
      nowMs = Math.min(endMs, nowMs + tickMs);
      watermarks.advance(nowMs);
    }
    watermarks.beforeRecord(0, partition, nowMs);
    logs[partition]?.push({ receivedMs: nowMs, watermarkMs: null });
  }
  watermarks.close();
  return logs;
}

const values = (logs: Entry[][]) => logs.map((log) => log.map((entry) => entry.watermarkMs));

describe('watermarks, any capture', () => {
  it('rise, keep the skew allowance, and reach every record before 10 s of silence are over', () => {
    fc.assert(fc.property(frames, (script) => {
      for (const log of play(script, Number.MAX_SAFE_INTEGER)) {
        let highestMs = Number.NEGATIVE_INFINITY;
        log.forEach((entry, index) => {
          if (entry.watermarkMs === null) {
            const before = log[index - 1];
            expect(before, 'a watermark comes first').to.not.equal(undefined);
            // Whatever the silence: just before a record time is known to 10 s, and to 250 ms while records wait.
            expect(highestMs).to.be.at.least(entry.receivedMs - SKEW_MS - 10_000);
            return;
          }
          expect(entry.watermarkMs).to.be.above(highestMs);
          highestMs = entry.watermarkMs;
          if (index < log.length - 1) expect(entry.watermarkMs).to.be.at.most(entry.receivedMs - SKEW_MS);
        });
      }
    }), { numRuns: 300 });
  });

  it('are the same however often time is told', () => {
    fc.assert(fc.property(frames, fc.integer({ min: 90, max: 5_000 }), (script, tickMs) => {
      expect(values(play(script, tickMs))).to.deep.equal(values(play(script, Number.MAX_SAFE_INTEGER)));
    }), { numRuns: 200 });
  });

  it('of a partition do not depend on records of others', () => {
    fc.assert(fc.property(frames, (script) => {
      const [first] = play(script, Number.MAX_SAFE_INTEGER);
      // Elsewhere means partition 2: partition 0 keeps its records, the receive times stay.
      const moved = script.map(([silenceMs, partition]): readonly [number, number] => [silenceMs, partition === 0 ? 0 : 2]);
      const [same] = play(moved, Number.MAX_SAFE_INTEGER);
      expect(same?.map((entry) => entry.watermarkMs)).to.deep.equal(first?.map((entry) => entry.watermarkMs));
    }), { numRuns: 200 });
  });
});
