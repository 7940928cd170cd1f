import { expect } from 'chai';
import { shownCell, shownNumber } from '../../src/cli/show-cells.js';
import { summaryText, totalsOf, type BookReconciliation } from '../../src/cli/show-summary.js';
import { SHOW_VIEWS, showQuery } from '../../src/cli/show-views.js';
import { plainText, textTable } from '../../src/cli/text-table.js';

describe('tables on a terminal', () => {
  it('are aligned, numbers to the right', () => {
    const columns = [
      { heading: 'asset', align: 'left' },
      { heading: 'size', align: 'right' },
    ] as const;
    expect(textTable(columns, [['BTCUSDT', '-0.5'], ['é', '12']])).to.equal('asset    size\n───────  ────\nBTCUSDT  -0.5\né          12\n');
  });

  it('without rows have their heading', () => {
    expect(textTable([{ heading: 'rows', align: 'right' }], [])).to.equal('rows\n────\n');
  });

  it('never pass control characters on: text from outside must not steer a terminal', () => {
    expect(plainText('a\u001b[31mb\n')).to.equal('a\\x1b[31mb\\x0a');
    expect(shownCell('signal', '\u001b]0;x')).to.equal('\\x1b]0;x');
  });

  it('round amounts half to even at 8 decimals', () => {
    const cases: readonly [string, string][] = [['1.500000000000000000', '1.5'], ['0.123456785', '0.12345678'], ['0.123456775', '0.12345678'], ['-0.000000001', '0'], ['54717739471', '54717739471']];
    for (const [exact, shown] of cases) expect(shownNumber(exact)).to.equal(shown);
  });

  it('shorten ids and signals, and say which bucket has no signal', () => {
    expect(shownCell('id', '0a1b2c3d-4e5f-5a6b-8c7d-9e8f7a6b5c4d')).to.equal('0a1b2c3d…');
    expect(shownCell('id', '123456789')).to.equal('123456789');
    expect(shownCell('signal', 'ceb53aae458f46cfab361b0ddbf56980')).to.equal('ceb53aae458f46…');
    expect(shownCell('signal', null)).to.equal('unattributed');
    expect(shownCell('number', null)).to.equal('');
    expect(shownCell('time', '2026-01-01T00:00:00.598Z')).to.equal('2026-01-01 00:00:00.598');
    expect(shownCell('list', ['user', 'take_profit'])).to.equal('user take_profit');
  });
});

describe('queries of show', () => {
  it('pass what the user says as parameters only', () => {
    const { text, parameters } = showQuery(SHOW_VIEWS.links, { asset: "x'; DROP TABLE orders; --", signal: 's', limit: 5 });
    expect(parameters).to.deep.equal(["x'; DROP TABLE orders; --", 's', '5']);
    expect(text).to.contain('t.asset = $1 AND t.signal_id IS NOT DISTINCT FROM $2::text').and.contain('LIMIT $3').and.not.contain('DROP');
  });

  it('take the word unattributed for the bucket without a signal', () => {
    expect(showQuery(SHOW_VIEWS.results, { asset: null, signal: 'unattributed', limit: 5 }).parameters).to.deep.equal([null, '5']);
  });
});

describe('the summary', () => {
  const book = (asset: string, coin: string, results: string | null, exchange: string | null, difference: string | null): BookReconciliation => ({
    account: 'main', category: 'linear', asset, position_idx: 0, settle_coin: coin, results, exchange, difference, links: 4,
  });
  const books = [
    book('BTCUSDT', 'USDT', '-1.5', '-1.50000001', '0.00000001'),
    book('ETHUSDT', 'USDT', '2', '2', '0'),
    book('XRPUSDT', 'USDT', null, '7', null),
    book('BTCUSD', 'BTC', '0.25', '0.25', '0'),
  ];

  it('adds up per coin, without the books of which one side is not known', () => {
    expect(totalsOf(books)).to.deep.equal([
      { settle_coin: 'BTC', results: '0.25', exchange: '0.25', difference: '0', books: 1, is_within_rounding: true, left_out: 0 },
      { settle_coin: 'USDT', results: '0.5', exchange: '0.49999999', difference: '0.00000001', books: 3, is_within_rounding: true, left_out: 1 },
    ]);
  });

  it('calls a difference what it is: rounding of 8 decimals a link, or more', () => {
    const isRounding = (difference: string): boolean | undefined => totalsOf([book('BTCUSDT', 'USDT', '1', '1', difference)])[0]?.is_within_rounding;
    expect(['0.00000006', '-0.00000006', '0.000000060000000001'].map(isRounding)).to.deep.equal([true, true, false]);
    const totals = totalsOf([book('BTCUSDT', 'USDT', '1', '0.7', '0.3')]);
    expect(summaryText({ rows: {}, evidence: {}, discrepancies: {}, books: [], totals })).to.match(/difference 0\.3 \(more than rounding: .*\)\n$/);
  });

  it('says it in one line a coin', () => {
    const text = summaryText({ rows: { orders: 3 }, evidence: { exact: 2 }, discrepancies: {}, books, totals: totalsOf(books) });
    expect(text).to.contain('orders     3\n');
    expect(text).to.contain("sum of results = 0.25 BTC, exchange's realised PnL = 0.25 BTC, difference 0\n");
    expect(text).to.contain('difference 0.00000001 (1 book left out: not all of it is known)\n');
  });
});
