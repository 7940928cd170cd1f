import { expect } from 'chai';
import { compareDigests, type DigestRow } from '../../src/digests/digest-comparison.js';

const HOUR_MS = 3_600_000;

function row(hour: number, digest: string, watermarkAt: number, deltas = 1): DigestRow {
  return {
    account: 'a', category: 'linear', asset: 'BTCUSDT', position_idx: 0, period_at: hour * HOUR_MS, deltas, digest, total_deltas: 1, total_digest: digest, is_final: false, watermark_at: watermarkAt,
  };
}

describe('digests of two deployments', () => {
  it('are equal hour by hour', () => {
    expect(compareDigests([row(0, 'x', 10), row(1, 'y', HOUR_MS + 5)], [row(0, 'x', 20), row(1, 'y', HOUR_MS + 9)])).to.deep.include({ isEqual: true, equal: 2, hours: [] });
  });

  it('differ in an hour that both have passed', () => {
    const { isEqual, hours } = compareDigests([row(0, 'x', 10), row(1, 'y', HOUR_MS + 5)], [row(0, 'z', 10), row(1, 'y', HOUR_MS + 9)]);
    expect(isEqual).to.equal(false);
    expect(hours.map(({ periodAt, verdict }) => [periodAt, verdict])).to.deep.equal([[0, 'different']]);
  });

  it('may differ in an hour that one side is still in', () => {
    expect(compareDigests([row(0, 'x', 10)], [row(0, 'z', 20, 2)])).to.deep.include({ isEqual: true, equal: 0 });
    expect(compareDigests([row(0, 'x', 10)], [row(0, 'z', 20, 2)]).hours[0]).to.include({ verdict: 'open' });
    expect(compareDigests([row(0, 'x', 20)], [row(0, 'z', 20, 2)])).to.include({ isEqual: false });
    expect(compareDigests([row(0, 'x', 10)], [row(0, 'z', 20)])).to.include({ isEqual: false });
  });

  it('differ where one side has no such hour', () => {
    expect(compareDigests([row(0, 'x', 20), row(5, 'y', 6 * HOUR_MS)], [row(5, 'y', 6 * HOUR_MS)])).to.include({ isEqual: false, equal: 1 });
  });
});
