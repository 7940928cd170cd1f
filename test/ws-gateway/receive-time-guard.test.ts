import { expect } from 'chai';
import type { SourceItem } from '../../src/ws-gateway/frame-source.js';
import { ReceiveTimeGuard } from '../../src/ws-gateway/receive-time-guard.js';

const NOW = 1_767_225_600_000;
const YEAR_2100 = 4_102_444_800_000;
const DAY = 86_400_000;

function frame(receivedAtMs: number): SourceItem {
  return { kind: 'frame', receivedAtMs, frame: {}, account: null, raw: Buffer.from(String(receivedAtMs)), lineNumber: 1 };
}

/** Receive times that pass; those that are refused as text. */
function pass(times: readonly number[]): (number | string)[] {
  const guard = new ReceiveTimeGuard();
  const brief = (items: readonly SourceItem[]) => items.map((item) => (item.kind === 'frame' ? item.receivedAtMs : `${item.reason} ${Buffer.from(item.raw).toString()}`));
  return [...times.flatMap((time) => brief(guard.push(frame(time)))), ...brief(guard.end())];
}

describe('receive times of a capture', () => {
  const refused = `BadTime ${YEAR_2100}`;
  for (const [name, times, expected] of [
    ['all pass as they are', [NOW, NOW + 5, NOW + 3, NOW + 300 * DAY], [NOW, NOW + 5, NOW + 3, NOW + 300 * DAY]],
    ['a single one passes', [NOW], [NOW]],
    ['one in the year 2100 does not', [NOW, NOW + 1, YEAR_2100, NOW + 2], [NOW, NOW + 1, refused, NOW + 2]],
    ['nor several in a row', [NOW, NOW + 1, YEAR_2100, YEAR_2100, NOW + 2], [NOW, NOW + 1, refused, refused, NOW + 2]],
    ['nor as the first', [YEAR_2100, NOW, NOW + 1], [refused, NOW, NOW + 1]],
    ['nor as the second', [NOW, YEAR_2100, NOW + 1], [NOW, refused, NOW + 1]],
    ['nor as the last', [NOW, NOW + 1, YEAR_2100], [NOW, NOW + 1, refused]],
    ['one of 1970 does not begin a file of today', [0, NOW, NOW + 1], ['BadTime 0', NOW, NOW + 1]],
    ['one of 1970 amid others is only old', [NOW, NOW + 1, 0, NOW + 2], [NOW, NOW + 1, 0, NOW + 2]],
    ['most frames decide at the end', [NOW, NOW + 1, NOW + 800 * DAY, NOW + 800 * DAY + 1, NOW + 800 * DAY + 2], [NOW, NOW + 1, NOW + 800 * DAY, NOW + 800 * DAY + 1, NOW + 800 * DAY + 2]],
  ] as const) {
    it(name, () => expect(pass(times)).to.deep.equal(expected));
  }

  it('believes a thousand frames that agree, without waiting for more', () => {
    const guard = new ReceiveTimeGuard();
    for (let index = 0; index < 5_000; index++) expect(guard.push(frame(NOW + index)).length).to.equal(index === 0 ? 0 : index === 1 ? 2 : 1);
    for (let index = 0; index < 999; index++) expect(guard.push(frame(YEAR_2100 + index))).to.deep.equal([]);
    expect(guard.push(frame(YEAR_2100 + 999))).to.have.length(1_000);
    expect(guard.push(frame(YEAR_2100 + 1_000))).to.have.length(1);
  });

  it('lets what cannot be read pass, in its place', () => {
    const item: SourceItem = { kind: 'unreadable', reason: 'NotJson', message: '', raw: Buffer.alloc(0), lineNumber: 1 };
    const guard = new ReceiveTimeGuard();
    expect(guard.push(item)).to.deep.equal([item]);
    expect(guard.push(frame(NOW))).to.deep.equal([]);
    expect(guard.push(item)).to.deep.equal([]);
    expect(guard.push(frame(NOW))).to.deep.equal([frame(NOW), item, frame(NOW)]);
    expect(guard.push(item)).to.deep.equal([item]);
  });
});
