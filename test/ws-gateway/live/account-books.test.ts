import { expect } from 'chai';
import { parseFrame, type SourceRecord } from '../../../src/ws-gateway/frame-parser.js';
import { AccountBooks, ListedPositions } from '../../../src/ws-gateway/live/account-books.js';
import { SeenRows } from '../../../src/ws-gateway/live/seen-rows.js';
import { executionRow, orderRow, positionRow, type WireRow } from '../exchange-rows.js';

function record(topic: 'order' | 'execution' | 'position', row: object): SourceRecord {
  const [parsed] = parseFrame({ topic, creationTime: 1_767_225_600_000, data: [row] }, { account: 'a', receivedAtMs: 1_767_225_600_000, source: 'stream' });
  if (parsed?.kind !== 'record') throw new Error(JSON.stringify(parsed));
  return parsed;
}

const position = (fields: WireRow) => record('position', positionRow(fields));

describe('books of an account', () => {
  it('know which orders were open when last heard of', () => {
    const books = new AccountBooks();
    for (const [orderId, orderStatus] of [['1', 'New'], ['2', 'PartiallyFilled'], ['3', 'New'], ['3', 'Cancelled'], ['4', 'Filled']]) books.take(record('order', orderRow({ orderId, orderStatus })));
    expect(books.openOrders('linear')).to.deep.equal(['1', '2']);
    expect(books.openOrders('inverse')).to.deep.equal([]);
  });

  it('know what to ask the exchange for by name: not flat, or filled since, and not listed', () => {
    const books = new AccountBooks();
    books.take(position({ symbol: 'AUSDT', size: '1', side: 'Buy', seq: 10 }));
    books.take(position({ symbol: 'BUSDT', size: '0', side: '', seq: 10 }));
    books.take(position({ symbol: 'CUSDT', size: '0', side: '', seq: 10 }));
    books.take(record('execution', executionRow({ symbol: 'CUSDT', seq: 11 })));
    books.take(record('execution', executionRow({ symbol: 'DUSDT', seq: 11 })));
    books.take(record('execution', executionRow({ symbol: 'BUSDT', seq: 12, execType: 'Funding' })));
    const listed = new ListedPositions();
    expect(books.assetsToAsk('linear', listed)).to.deep.equal(['AUSDT', 'CUSDT', 'DUSDT']);
    listed.add('AUSDT', 0);
    listed.add('DUSDT', 1);
    expect(books.assetsToAsk('linear', listed)).to.deep.equal(['CUSDT', 'DUSDT']);
    listed.add('DUSDT', 2);
    expect(books.assetsToAsk('linear', listed)).to.deep.equal(['CUSDT']);
  });

  it('tell what is news of a position', () => {
    const books = new AccountBooks();
    const known = position({ size: '1', side: 'Buy', seq: 10 });
    books.take(known);
    const isNews = (fields: WireRow): boolean => books.isNews((position(fields) as Extract<SourceRecord, { type: 'PositionUpdate' }>).value);
    expect(isNews({ size: '1', side: 'Buy', seq: 10 })).to.equal(false);
    expect(isNews({ size: '2', side: 'Buy', seq: 9 })).to.equal(false);
    expect(isNews({ size: '2', side: 'Buy', seq: 10 })).to.equal(true);
    expect(isNews({ size: '1', side: 'Buy', seq: 11 })).to.equal(true);
    expect(isNews({ symbol: 'NEWUSDT', size: '1', side: 'Buy', seq: 1 })).to.equal(true);
  });

  it('note an asset not seen before once the beginning is learnt, a changed mode, and a category that is not linked, each once', () => {
    const books = new AccountBooks();
    expect(books.take(position({ symbol: 'AUSDT', positionIdx: 0 }))).to.deep.equal([]);
    books.endLearning();
    expect(books.take(position({ symbol: 'BUSDT', positionIdx: 0 }))).to.deep.equal([{ kind: 'new-asset', category: 'linear', asset: 'BUSDT' }]);
    expect(books.take(position({ symbol: 'AUSDT', positionIdx: 1 }))).to.deep.equal([{ kind: 'mode-change', category: 'linear', asset: 'AUSDT', mode: 'hedge' }]);
    expect(books.take(position({ symbol: 'AUSDT', positionIdx: 2 }))).to.deep.equal([]);
    expect(books.take(record('order', orderRow({ category: 'spot', symbol: 'AUSDT' }))).map(({ kind }) => kind)).to.deep.equal(['category-not-linked', 'new-asset']);
    expect(books.take(record('order', orderRow({ category: 'spot', symbol: 'AUSDT' })))).to.deep.equal([]);
    expect(books.modes()).to.deep.equal([{ category: 'linear', asset: 'AUSDT', mode: 'hedge' }, { category: 'linear', asset: 'BUSDT', mode: 'one-way' }]);
  });
});

describe('rows seen', () => {
  it('are those written not long ago; of positions REST always has news', () => {
    const seen = new SeenRows(4);
    const rows = ['1', '2', '3', '4', '5', '6'].map((execId) => record('execution', executionRow({ execId })));
    for (const row of rows) seen.add(row);
    expect(rows.map((row) => seen.has(row))).to.deep.equal([false, false, false, false, true, true]);
    const order = record('order', orderRow({ orderStatus: 'New' }));
    seen.add(order);
    expect(seen.has(order)).to.equal(true);
    expect(seen.has(record('order', orderRow({ orderStatus: 'Filled' })))).to.equal(false);
    const update = record('position', positionRow({}));
    seen.add(update);
    expect(seen.has(update)).to.equal(false);
  });
});
