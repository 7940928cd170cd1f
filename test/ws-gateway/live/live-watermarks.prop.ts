import fc from 'fast-check';
import { expect } from 'chai';
import { LiveWatermarks } from '../../../src/ws-gateway/live/live-watermarks.js';

const PARTITIONS = 2;
const SKEW_MS = 500;
const WINDOW_MS = 5_000;
const T0 = 1_767_225_601_234;

function watermarks(reachedMs: readonly (number | null)[] = [null, null]): { readonly marks: LiveWatermarks; readonly written: number[][] } {
  const written: number[][] = Array.from({ length: PARTITIONS }, () => []);
  const marks = new LiveWatermarks({ partitions: PARTITIONS, skewAllowanceMs: SKEW_MS, joinWindowMs: WINDOW_MS, reachedMs }, (partition, watermarkMs) => written[partition]?.push(watermarkMs));
  return { marks, written };
}

/** Time goes on in steps of 50 ms. */
function pass(marks: LiveWatermarks, fromMs: number, forMs: number): void {
  for (let nowMs = fromMs; nowMs <= fromMs + forMs; nowMs += 50) marks.advance(nowMs);
}

describe('live watermarks', () => {
  it('never go back and keep the skew allowance, whatever the clock does', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: -90_000, max: 90_000 }), fc.nat(PARTITIONS - 1), fc.boolean()), { maxLength: 60 });
    fc.assert(fc.property(steps, (script) => {
      const { marks, written } = watermarks();
      let nowMs = T0;
      let highestMs = T0;
      marks.begin(T0);
      for (const [byMs, partition, isRecord] of script) {
        nowMs += byMs;
        highestMs = Math.max(highestMs, nowMs);
        marks.advance(nowMs);
        if (isRecord) marks.record(partition, nowMs);
        for (const list of written) expect(list.at(-1)).to.be.at.most(highestMs - SKEW_MS);
      }
      for (const list of written) for (let i = 1; i < list.length; i++) expect(list[i]!).to.be.greaterThan(list[i - 1]!);
    }));
  });

  it('begin every empty partition with one before the earliest event, and leave the others alone', () => {
    const { marks, written } = watermarks([null, T0]);
    marks.begin(T0 - 3_600_000);
    expect(written).to.deep.equal([[T0 - 3_600_000 - 1 - SKEW_MS], []]);
  });

  it('come every 250 ms until they have reached the last record, every second until the join window has passed, then every 10 s', () => {
    const { marks, written } = watermarks();
    const startMs = 1_767_225_600_000;
    marks.begin(startMs);
    marks.advance(startMs);
    marks.record(0, startMs + 10);
    pass(marks, startMs + 50, 40_000);
    const since = written[0]!.filter((each) => each > startMs - SKEW_MS).map((each) => each + SKEW_MS - startMs);
    expect(since).to.deep.equal([250, 500, 750, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 10_000, 20_000, 30_000, 40_000]);
  });

  it('say nothing that a topic holds already', () => {
    const { marks, written } = watermarks([T0 + 60_000, T0 + 60_000]);
    pass(marks, T0, 30_000);
    expect(written).to.deep.equal([[], []]);
  });

  it('are none before 1970', () => {
    const { marks, written } = watermarks();
    marks.begin(100);
    marks.advance(300);
    expect(written.flat().every((each) => each >= 0)).to.equal(true);
  });
});
