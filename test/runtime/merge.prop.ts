import { expect } from 'chai';
import fc from 'fast-check';
import { MAX_AHEAD_MS, Merge, type MergeHandler, type MergeState } from '../../src/runtime/merge.js';

/** timeMs null: a record without a trusted event time. */
type Entry = { readonly kind: 'record'; readonly timeMs: number | null } | { readonly kind: 'watermark'; readonly timeMs: number } | { readonly kind: 'hole' };
type Logs = readonly (readonly Entry[])[];
type Action = string;

const recordAction = (input: number, offset: number, effectiveMs: number): Action => `record ${input}/${offset} at ${effectiveMs}`;
const watermarkAction = (mergedMs: number): Action => `watermark ${mergedMs}`;

/** The rules read literally: place everything, sort everything, stop at the first entry that is not certain. */
function reference(logs: Logs): Action[] {
  const placed = logs.flatMap((log, input) => {
    let highest = -1;
    let before = -1;
    return log.flatMap((entry, offset) => {
      if (entry.kind === 'hole') return [];
      if (entry.kind === 'record') {
        const counted = entry.timeMs === null ? -1 : highest < 0 ? entry.timeMs : Math.min(entry.timeMs, highest + MAX_AHEAD_MS);
        before = Math.max(counted, highest + 1, before);
        return [{ input, offset, at: before, rank: 0, value: 0 }];
      }
      if (entry.timeMs <= highest) return [];
      highest = entry.timeMs;
      return [{ input, offset, at: Math.max(entry.timeMs, before), rank: 1, value: entry.timeMs }];
    });
  });
  placed.sort((a, b) => a.at - b.at || a.rank - b.rank || a.input - b.input || a.offset - b.offset);
  const taken = logs.map(() => -1);
  let merged = -1;
  const actions: Action[] = [];
  for (const [index, item] of placed.entries()) {
    const later = placed.slice(index + 1);
    const certain = logs.every((_, input) => {
      if (item.rank === 0 && input === item.input) return true;
      const hasShown = placed.some((other) => other.input === input && other.rank === 1 && other.value >= item.at);
      return hasShown || later.some((other) => other.input === input && other.rank === 0);
    });
    if (!certain) break;
    if (item.rank === 0) actions.push(recordAction(item.input, item.offset, item.at));
    else {
      taken[item.input] = item.value;
      const lowest = Math.min(...taken);
      if (lowest > merged) actions.push(watermarkAction((merged = lowest)));
    }
  }
  return actions;
}

function push(merge: Merge<number>, logs: Logs, input: number, offset: number): void {
  const entry = logs[input]?.[offset];
  if (entry === undefined || entry.kind === 'hole') merge.pushedTo(input, offset + 1);
  else if (entry.kind === 'record') merge.pushRecord(input, offset, entry.timeMs, offset);
  else merge.pushWatermark(input, offset, entry.timeMs);
}

function collect(actions: Action[]): MergeHandler<number> {
  return {
    record: (offset, input, effectiveMs) => actions.push(recordAction(input, offset, effectiveMs)),
    watermark: (mergedMs) => actions.push(watermarkAction(mergedMs)),
  };
}

function straight(logs: Logs): Action[] {
  const actions: Action[] = [];
  const merge = new Merge<number>(logs.length);
  logs.forEach((log, input) => log.forEach((_, offset) => push(merge, logs, input, offset)));
  merge.take(collect(actions));
  return actions;
}

const entry = (spread: number): fc.Arbitrary<Entry> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('record' as const), timeMs: fc.nat(spread) }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('watermark' as const), timeMs: fc.nat(spread) }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'record' as const, timeMs: null }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'record' as const, timeMs: 4_102_444_800_000 }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'watermark' as const, timeMs: spread + MAX_AHEAD_MS }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'hole' as const }) },
  );
const logsOf = (spread: number): fc.Arbitrary<Logs> => fc.array(fc.array(entry(spread), { maxLength: 14 }), { minLength: 1, maxLength: 3 });
const logsArbitrary = fc.oneof(logsOf(12), logsOf(100), logsOf(100_000));

describe('merge', () => {
  it('gives the order of the sorted logs', () => {
    fc.assert(
      fc.property(logsArbitrary, (logs) => {
        expect(straight(logs)).to.deep.equal(reference(logs));
      }),
      { numRuns: 2000 },
    );
  });

  it('gives one order whatever the interleaving, the chunks taken and the places of restarts', () => {
    fc.assert(
      fc.property(logsArbitrary, fc.infiniteStream(fc.nat(1_000_000)), (logs, choices) => {
        const next = (bound: number): number => (choices.next().value as number) % bound;
        const actions: Action[] = [];
        let merge = new Merge<number>(logs.length);
        let positions = logs.map(() => 0);
        for (;;) {
          const open = logs.flatMap((log, input) => ((positions[input] as number) < log.length ? [input] : []));
          if (open.length === 0) break;
          const input = open[next(open.length)] as number;
          for (let count = next(4); count >= 0 && (positions[input] as number) < (logs[input] as readonly Entry[]).length; count--) {
            push(merge, logs, input, positions[input] as number);
            positions[input] = (positions[input] as number) + 1;
          }
          if (next(2) === 0) merge.take(collect(actions), next(4));
          if (next(3) === 0) {
            const state = JSON.parse(JSON.stringify(merge.state())) as MergeState;
            merge = new Merge<number>(logs.length, state);
            positions = state.inputs.map((from) => from.offset);
          }
        }
        merge.take(collect(actions));
        expect(actions).to.deep.equal(reference(logs));
      }),
      { numRuns: 1500 },
    );
  });

  it('never goes back in time and releases all once every input has shown a watermark past everything', () => {
    fc.assert(
      fc.property(logsArbitrary, (logs) => {
        const closed = logs.map((log) => [{ kind: 'watermark' as const, timeMs: 0 }, ...log, { kind: 'watermark' as const, timeMs: 10_000_000 }]);
        const times: number[] = [];
        const merge = new Merge<number>(logs.length);
        closed.forEach((log, input) => log.forEach((_, offset) => push(merge, closed, input, offset)));
        merge.take({ record: (_item, _input, effectiveMs) => times.push(effectiveMs), watermark: () => undefined });
        expect(times.length).to.equal(logs.flat().filter((item) => item.kind === 'record').length);
        expect(times).to.deep.equal([...times].sort((a, b) => a - b));
        expect(merge.state()).to.deep.include({ mergedMs: 10_000_000 });
        expect(merge.state().inputs.map((input) => input.offset)).to.deep.equal(closed.map((log) => log.length));
      }),
      { numRuns: 500 },
    );
  });
});

describe('merge, by hand', () => {
  const record = (timeMs: number | null): Entry => ({ kind: 'record', timeMs });
  const watermark = (timeMs: number): Entry => ({ kind: 'watermark', timeMs });
  const table: readonly [what: string, logs: Logs, actions: readonly Action[]][] = [
    ['waits for the silent input', [[watermark(10), record(20)], [watermark(10)]], ['watermark 10']],
    ['takes on a watermark of the same time', [[watermark(10), record(20)], [watermark(10), watermark(20)]], ['watermark 10', 'record 0/1 at 20']],
    ['breaks ties by topic order', [[watermark(1), record(5)], [watermark(1), record(5), watermark(9)]], ['watermark 1', 'record 0/1 at 5']],
    ['dates a late record after the watermark', [[watermark(50), record(7), record(51)]], ['watermark 50', 'record 0/1 at 51', 'record 0/2 at 51']],
    ['holds a far clock down to 60 s ahead', [[watermark(50), record(4_102_444_800_000)]], ['watermark 50', 'record 0/1 at 60050']],
    [
      'places a watermark behind later records of its time',
      [[watermark(50), record(90), watermark(60), record(70), watermark(90)]],
      ['watermark 50', 'record 0/1 at 90', 'record 0/3 at 90', 'watermark 60', 'watermark 90'],
    ],
    ['ignores a watermark that does not rise', [[watermark(50), watermark(50), watermark(40), watermark(51)]], ['watermark 50', 'watermark 51']],
    ['gives an undated record the place after what is before it', [[watermark(50), record(null), record(80), record(null)]], ['watermark 50', 'record 0/1 at 51', 'record 0/2 at 80', 'record 0/3 at 80']],
  ];
  for (const [what, logs, actions] of table) {
    it(what, () => {
      expect(straight(logs)).to.deep.equal(actions);
      expect(reference(logs)).to.deep.equal(actions);
    });
  }

  it('refuses an offset it was given before', () => {
    const merge = new Merge<number>(1);
    merge.pushRecord(0, 5, 1, 5);
    expect(() => merge.pushRecord(0, 5, 1, 5)).to.throw('pushed offset 5 after 5');
  });

  it('names the input it waits for', () => {
    const merge = new Merge<number>(2);
    merge.pushWatermark(0, 0, 10);
    merge.pushRecord(0, 1, 20, 1);
    merge.pushWatermark(1, 0, 10);
    merge.take(collect([]));
    expect([merge.isAwaited(0), merge.isAwaited(1)]).to.deep.equal([false, true]);
  });
});
