import { expect } from 'chai';
import { verifyJson, verifyText } from '../../src/cli/verify-summary.js';
import { parseDecimal } from '../../src/domain/decimal.js';
import { Findings } from '../../src/verify/breach.js';
import type { VerifyReport } from '../../src/verify/verify.js';

const book = { account: 'main', category: 'linear', asset: 'BTCUSDT', position_idx: 0 };

function report(broken: boolean): VerifyReport {
  const findings = new Findings();
  findings.equal('lots', book, parseDecimal(broken ? '1.5' : '1'), parseDecimal('1'), 'open quantities do not add up', { source: 'position_cycles', row: { size: parseDecimal('1'), opened_at: 0 } });
  return { breaches: findings.breaches, made: findings.made, books: 1, orders: 2, recordsBehind: 0, waiting: 0, isInterrupted: false };
}

describe('report of verify', () => {
  it('says that all holds, and what was looked at', () => {
    expect(verifyText(report(false)).trimEnd().split('\n').at(-1)).to.equal('all holds: 1 checks of 1 book and 2 orders');
  });

  it('shows a breach with its row', () => {
    const text = verifyText(report(true));
    expect(text).to.contain('lots: main linear BTCUSDT 0: open quantities do not add up\n  expected 1, found 1.5\n  position_cycles {"size":"1","opened_at":"1970-01-01T00:00:00.000Z"}\n');
    expect(text.trimEnd().split('\n').at(-1)).to.equal('1 breach in 1 book and 2 orders');
  });

  it('is read by programs: exact amounts, the row whole', () => {
    const told = JSON.parse(verifyJson(report(true), null)) as { holds: boolean; breaches: object[]; checks: { check: string; made: number; breaches: number }[] };
    expect(told.holds).to.equal(false);
    expect(told.checks.find(({ check }) => check === 'lots')).to.include({ made: 1, breaches: 1 });
    expect(told.breaches).to.deep.equal([
      { check: 'lots', ...book, message: 'open quantities do not add up', expected: '1', actual: '1.5', witness: { source: 'position_cycles', row: { size: '1', opened_at: '1970-01-01T00:00:00.000Z' } } },
    ]);
  });
});
