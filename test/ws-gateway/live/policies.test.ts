import fc from 'fast-check';
import { expect } from 'chai';
import { KEPT_MS, planBackfill, WINDOW_MS } from '../../../src/ws-gateway/live/backfill-plan.js';
import { backoffMs } from '../../../src/ws-gateway/live/backoff.js';
import { historyFrame, oldestFirst, settlementRows } from '../../../src/ws-gateway/live/history-frame.js';
import { isHeld } from '../../../src/ws-gateway/live/hold.js';
import { keyRights, rightsWarning } from '../../../src/ws-gateway/live/key-rights.js';
import { knownText, knownUntil, parseKnown } from '../../../src/ws-gateway/live/known-times.js';
import { verdictOf } from '../../../src/ws-gateway/live/rest-verdict.js';

const NOW = 1_800_000_000_000;

describe('plan of a backfill', () => {
  it('leaves nothing out, asks for nothing twice, and for no more than a week at a time', () => {
    fc.assert(fc.property(fc.nat(800 * 86_400_000), fc.nat(600_000), (agoMs, overlapMs) => {
      const { windows, beyond } = planBackfill(NOW - agoMs, NOW, overlapMs);
      expect(windows[0]?.fromMs).to.equal(Math.max(NOW - agoMs - overlapMs, NOW - KEPT_MS));
      expect(windows.at(-1)?.toMs).to.equal(NOW);
      windows.forEach(({ fromMs, toMs }, index) => {
        expect(toMs - fromMs).to.be.below(WINDOW_MS);
        if (index > 0) expect(fromMs).to.equal(windows[index - 1]!.toMs + 1);
      });
      expect(beyond).to.deep.equal(agoMs > KEPT_MS ? { fromMs: NOW - agoMs, toMs: NOW - KEPT_MS } : null);
    }));
  });

  it('says from when on cancelled orders are gone', () => {
    expect(planBackfill(NOW - 86_400_000, NOW, 0).unfilledBeyond).to.equal(null);
    expect(planBackfill(NOW - 86_400_001, NOW, 0).unfilledBeyond).to.deep.equal({ fromMs: NOW - 86_400_001, toMs: NOW - 86_400_000 });
  });

  it('asks for something even where the last known time lies ahead', () => {
    expect(planBackfill(NOW + 5_000, NOW, 1_000).windows).to.deep.equal([{ fromMs: NOW - 1_000, toMs: NOW }]);
  });
});

describe('answers of REST', () => {
  const answer = (code: number, resetAtMs: number | null = null) => verdictOf({ kind: 'answer', code, message: 'said', resetAtMs }, 700, NOW);

  it('are taken, asked for again, or final', () => {
    expect(answer(0)).to.deep.equal({ kind: 'ok' });
    expect(answer(10_003)).to.deep.equal({ kind: 'refused', refusal: 'key', message: 'said (10003)' });
    expect(answer(10_004)).to.deep.include({ kind: 'refused', refusal: 'key' });
    expect(answer(10_005)).to.deep.include({ kind: 'refused', refusal: 'permission' });
    expect(answer(33_004)).to.deep.include({ kind: 'refused', refusal: 'expired' });
    expect(answer(10_001)).to.deep.include({ kind: 'refused', refusal: 'request' });
    expect(answer(10_002)).to.deep.equal({ kind: 'again', afterMs: 700, why: 'said (10002)', isClockWrong: true });
    expect(answer(10_016)).to.deep.include({ kind: 'again', afterMs: 700, isClockWrong: false });
    expect(verdictOf({ kind: 'http', status: 503 }, 700, NOW)).to.deep.include({ kind: 'again', afterMs: 700 });
    expect(verdictOf({ kind: 'http', status: 401 }, 700, NOW)).to.deep.include({ kind: 'refused', refusal: 'key' });
    expect(verdictOf({ kind: 'http', status: 404 }, 700, NOW)).to.deep.include({ kind: 'refused', refusal: 'request' });
    expect(verdictOf({ kind: 'no-answer', message: 'no answer (ECONNRESET)' }, 700, NOW)).to.deep.include({ kind: 'again', why: 'no answer (ECONNRESET)' });
  });

  it('of a rate limit wait until it is reset, as the headers say, within reason', () => {
    expect(answer(10_006, NOW + 1_234)).to.deep.include({ kind: 'again', afterMs: 1_234 });
    expect(answer(10_006, NOW - 99)).to.deep.include({ afterMs: 100 });
    expect(answer(10_006, NOW + 3_600_000)).to.deep.include({ afterMs: 60_000 });
    expect(answer(10_018)).to.deep.include({ afterMs: 700 });
  });
});

describe('pauses between attempts', () => {
  it('double up to a limit, and are spread over their upper half', () => {
    expect([0, 1, 2, 3, 9].map((attempt) => backoffMs(attempt, 1, 200, 1_000))).to.deep.equal([200, 400, 800, 1_000, 1_000]);
    expect(backoffMs(1, 0, 200, 1_000)).to.equal(200);
  });
});

describe('watermarks stand', () => {
  const well = { gap: null, isConnected: true };
  const gap = (noticedMs: number) => ({ gap: { fromMs: 0, noticedMs }, isConnected: false });
  it('as long as the only account has a gap', () => {
    expect(isHeld([gap(0)], 3_600_000)).to.equal(true);
    expect(isHeld([well], 0)).to.equal(false);
  });
  it('for 30 s where another account is connected', () => {
    expect(isHeld([gap(0), well], 30_000)).to.equal(true);
    expect(isHeld([gap(0), well], 30_001)).to.equal(false);
    expect(isHeld([gap(0), gap(25_000), well], 40_000)).to.equal(true);
    expect(isHeld([gap(0), gap(0)], 40_000)).to.equal(true);
  });
});

describe('known times', () => {
  it('are written no further than their watermark, and read again', () => {
    const text = knownText(new Map([['a', 900.7], ['b', 5_000]]), 1_000);
    expect([...(parseKnown(text) ?? [])]).to.deep.equal([['a', 900], ['b', 1_000]]);
    expect(parseKnown('no')).to.equal(null);
    expect(parseKnown('[1]')).to.equal(null);
  });

  it('come from predecessors, else from the topics, else the account is new', () => {
    expect(knownUntil('a', new Map([['a', 5]]), 99, 50)).to.equal(5);
    expect(knownUntil('a', new Map([['b', 5]]), 99, 50)).to.equal(50);
    expect(knownUntil('a', null, 40, 50)).to.equal(40);
    expect(knownUntil('a', null, 60, 50)).to.equal(50);
    expect(knownUntil('a', null, null, 50)).to.equal(50);
  });
});

describe('rights of a key', () => {
  const rights = (readOnly: number, permissions: object) => keyRights({ userID: 24617703, readOnly, permissions, expiredAt: '2030-01-01T00:00:00Z' });
  it('that only reads are enough', () => {
    const found = rights(1, { ContractTrade: ['Order', 'Position'], Wallet: ['Withdraw'] });
    expect(found).to.deep.equal({ uid: '24617703', isReadOnly: true, mayTrade: false, mayWithdraw: false, expiresAt: '2030-01-01T00:00:00Z' });
    expect(rightsWarning(found!)).to.equal(null);
  });
  it('that trade or withdraw are warned about', () => {
    expect(rightsWarning(rights(0, { ContractTrade: ['Order'] })!)).to.include('may trade');
    expect(rightsWarning(rights(0, { Wallet: ['AccountTransfer', 'Withdraw'] })!)).to.include('may withdraw');
    expect(rightsWarning(rights(0, {})!)).to.include('not read-only');
  });
  it('without a uid are none', () => {
    expect(keyRights({ readOnly: 1 })).to.equal(null);
    expect(keyRights('x')).to.equal(null);
  });
});

describe('history as frames', () => {
  it('is sorted oldest first, rows of one time in the reverse of how they came', () => {
    expect(oldestFirst([{ id: 3, t: '9' }, { id: 2, t: '7' }, { id: 1, t: '7' }], 't').map((row) => row['id'])).to.deep.equal([1, 2, 3]);
    expect(JSON.parse(historyFrame('order', 'linear', 12.7, [{ a: 1 }]))).to.deep.equal({ topic: 'order.linear', creationTime: 12, data: [{ a: 1 }] });
  });

  it('turns the sign of funding round, and tells a session profit apart', () => {
    const row = { id: '1', symbol: 'BTCPERP', side: 'Buy', orderId: '', qty: '2', tradePrice: '10', transactionTime: '99', currency: 'USDC', funding: '-0.5', cashFlow: '3' };
    expect(settlementRows(row).map(({ execId, execType, execFee, orderId }) => ({ execId, execType, execFee, orderId }))).to.deep.equal([
      { execId: 'log-1', execType: 'Funding', execFee: '0.5', orderId: 'log-1' },
      { execId: 'log-1-settled', execType: 'SessionSettlement', execFee: '-3', orderId: 'log-1' },
    ]);
    expect(settlementRows({ id: '2', funding: '0', cashFlow: '' })).to.deep.equal([]);
  });
});
