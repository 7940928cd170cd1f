import { expect } from 'chai';
import { Watermarks, type PartitionTail } from '../../src/ws-gateway/watermarks.js';

const SKEW_MS = 500;
const WINDOW_MS = 5_000;
/** On the 10 s grid, so that distances are easy to read. */
const T0 = 1_767_225_600_000;

type Step = readonly ['receive', number] | readonly ['record', number] | readonly ['record', number, number];

interface Played {
  /** Per partition: watermarks as distance to T0, and R where a record stands. */
  readonly logs: (number | 'R')[][];
  readonly watermarks: Watermarks;
}

/** Times are distances to T0. ['record', partition] has the event time of its receiving, unless a third element says another. */
function play(steps: readonly Step[], partitions = 2, tails: readonly (readonly PartitionTail[])[] = []): Played {
  const logs: (number | 'R')[][] = Array.from({ length: partitions }, () => []);
  const watermarks = new Watermarks({ partitions, topics: 3, skewAllowanceMs: SKEW_MS, joinWindowMs: WINDOW_MS }, (partition, watermarkMs) => logs[partition]?.push(watermarkMs - T0), tails);
  for (const step of steps) {
    if (step[0] === 'receive') watermarks.advance(T0 + step[1]);
    else {
      watermarks.beforeRecord(2, step[1], step[2] === undefined ? (watermarks.receivedMs ?? 0) : T0 + step[2]);
      logs[step[1]]?.push('R');
    }
  }
  return { logs, watermarks };
}

describe('watermarks of a played capture', () => {
  it('come first in every partition', () => {
    const { logs } = play([['receive', 130], ['record', 1]]);
    expect(logs).to.deep.equal([[-370], [-370, 'R']]);
  });

  it('follow every 250 ms until the last record is reached, and then not for nothing', () => {
    const { logs } = play([['receive', 130], ['record', 0], ['receive', 3_000]]);
    expect(logs[0]).to.deep.equal([-370, 'R', -250, 0, 250]);
    expect(logs[1]).to.deep.equal([-370]);
  });

  it('stand before a record that comes exactly on the grid', () => {
    const { logs } = play([['receive', 130], ['record', 0], ['receive', 250], ['record', 0], ['receive', 500]]);
    expect(logs[0]).to.deep.equal([-370, 'R', -250, 'R', 0]);
  });

  it('end a silence inside the join window at the last whole second', () => {
    const { logs } = play([['receive', 100], ['record', 0], ['receive', 4_700], ['record', 0]]);
    expect(logs[0]).to.deep.equal([-400, 'R', -250, 0, 250, 3_500, 'R']);
  });

  it('end a longer silence where the window was passed, if no tenth second came since', () => {
    // The record's window is passed by a watermark above 5100: at receive time 6000.
    const { logs } = play([['receive', 100], ['record', 0], ['receive', 9_900], ['record', 0]]);
    expect(logs[0]).to.deep.equal([-400, 'R', -250, 0, 250, 5_500, 'R']);
  });

  it('end a long silence at the last tenth second', () => {
    const { logs } = play([['receive', 100], ['record', 0], ['receive', 3_600_123], ['record', 0]]);
    expect(logs[0]).to.deep.equal([-400, 'R', -250, 0, 250, 3_599_500, 'R']);
  });

  it('write no point twice', () => {
    const { logs } = play([['receive', 100], ['record', 0], ['receive', 4_700], ['record', 0], ['record', 0]]);
    expect(logs[0]).to.deep.equal([-400, 'R', -250, 0, 250, 3_500, 'R', 'R']);
  });

  it('tell a partition without records where time stands before its first one', () => {
    const { logs } = play([['receive', 100], ['receive', 31_000], ['record', 1]]);
    expect(logs[1]).to.deep.equal([-400, 29_500, 'R']);
  });

  it('never go back with the clock of the recorder', () => {
    const { logs } = play([['receive', 1_000], ['record', 0], ['receive', 400], ['record', 0], ['receive', 1_500]]);
    expect(logs[0]).to.deep.equal([500, 'R', 'R', 750, 1_000]);
  });

  it('do not depend on when time is told', () => {
    const told: Step[] = [['receive', 100], ['record', 0]];
    for (let at = 137; at < 4_700; at += 37) told.push(['receive', at]);
    const { logs } = play([...told, ['receive', 4_700], ['record', 0]]);
    expect(logs[0]).to.deep.equal([-400, 'R', -250, 0, 250, 3_500, 'R']);
  });

  it('are none before 1970', () => {
    const seen: number[] = [];
    new Watermarks({ partitions: 1, topics: 1, skewAllowanceMs: 500, joinWindowMs: 0 }, (_partition, ms) => seen.push(ms)).advance(100);
    expect(seen).to.deep.equal([0]);
  });

  describe('at the end', () => {
    it('pass the last receive time by the join window and a second, in every partition', () => {
      const { logs, watermarks } = play([['receive', 100], ['record', 0], ['receive', 700]]);
      watermarks.close();
      expect(logs).to.deep.equal([[-400, 'R', -250, 0, 6_700], [-400, 6_700]]);
    });

    it('pass a record whose clock is ahead, by no more than 60 s', () => {
      const { logs, watermarks } = play([['receive', 100], ['record', 0, 3_000], ['record', 1, 4_000_000_000]]);
      watermarks.close();
      expect(logs[0]?.at(-1)).to.equal(3_000 + 6_000);
      expect(logs[1]?.at(-1)).to.equal(-400 + 60_000 + 6_000);
    });

    it('pass what the topics held before', () => {
      const tail = (highestWatermarkMs: number | null, effectiveMs: number | null): PartitionTail => ({
        highestWatermarkMs: highestWatermarkMs === null ? null : T0 + highestWatermarkMs,
        effectiveMs: effectiveMs === null ? null : T0 + effectiveMs,
      });
      const none = tail(null, null);
      const { logs, watermarks } = play([['receive', 100], ['record', 0]], 3, [[none, tail(50_000, 40_000), none], [none, none, tail(7_000, 9_000)], [tail(20_000, 1_000), none, none]]);
      watermarks.close();
      // The record takes effect one millisecond after the watermark that was there.
      expect(logs[0]?.at(-1)).to.equal(20_001 + 6_000);
      expect(logs[1]?.at(-1)).to.equal(50_000 + 6_000);
      expect(logs[2]?.at(-1)).to.equal(9_000 + 6_000);
    });

    it('bring every partition to its last point where more follows', () => {
      const { logs, watermarks } = play([['receive', 100], ['record', 0], ['receive', 12_345]]);
      watermarks.pause();
      expect(logs).to.deep.equal([[-400, 'R', -250, 0, 250, 9_500], [-400, 9_500]]);
    });

    it('are none where nothing was received', () => {
      const { logs, watermarks } = play([]);
      watermarks.close();
      watermarks.pause();
      expect(logs).to.deep.equal([[], []]);
    });
  });
});
