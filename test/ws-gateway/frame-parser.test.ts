import { expect } from 'chai';
import { parseDecimal } from '../../src/domain/decimal.js';
import { parseFrame, type ParsedRow } from '../../src/ws-gateway/frame-parser.js';
import { CREATED_MS, executionRow, frameOf, orderRow, positionRow, SEQ, type WireRow } from './exchange-rows.js';

const ORIGIN = { account: 'main', receivedAtMs: 1_767_225_600_310, source: 'stream' } as const;

function parse(frame: unknown): ParsedRow[] {
  return parseFrame(frame, ORIGIN);
}

function only(frame: unknown): ParsedRow {
  const rows = parse(frame);
  expect(rows).to.have.length(1);
  return rows[0] as ParsedRow;
}

function valueOf(frame: unknown): Readonly<Record<string, unknown>> {
  const row = only(frame);
  if (row.kind === 'rejected') throw new Error(`rejected: ${row.message}`);
  return row.value as unknown as Readonly<Record<string, unknown>>;
}

const order = (changes: WireRow = {}, frame: WireRow = {}) => frameOf('order', [orderRow(changes)], frame);
const execution = (changes: WireRow = {}) => frameOf('execution', [executionRow(changes)]);
const position = (changes: WireRow = {}) => frameOf('position', [positionRow(changes)]);
const d = parseDecimal;

describe('frame parser', () => {
  it('takes a whole order row', () => {
    expect(only(order())).to.deep.equal({
      kind: 'record',
      topic: 'ws-gateway.order',
      type: 'OrderUpdate',
      eventMs: 1_767_225_600_290,
      value: {
        account: 'main',
        category: 'linear',
        asset: 'SOLUSDT',
        order_id: 'order-1',
        order_link_id: 'signal-a_1',
        parent_order_link_id: '',
        side: 'Buy',
        position_idx: 0,
        order_type: 'Limit',
        order_status: 'PartiallyFilled',
        create_type: 'CreateByUser',
        cancel_type: 'UNKNOWN',
        reject_reason: 'EC_NoError',
        stop_order_type: '',
        time_in_force: 'GTC',
        reduce_only: false,
        close_on_trigger: false,
        price: d('150.5'),
        quantity: d('3'),
        average_price: d('150.25'),
        leaves_quantity: d('1'),
        cumulative_quantity: d('2'),
        cumulative_value: d('300.5'),
        cumulative_fee: d('0.165275'),
        closed_pnl: 0n,
        trigger_price: null,
        take_profit: null,
        stop_loss: 0n,
        created_at: 1_767_225_600_000,
        updated_at: 1_767_225_600_290,
        seq: SEQ,
        source: 'stream',
        received_at: 1_767_225_600_310,
        envelope_id: `70001_SOLUSDT_${SEQ}`,
        envelope_created_at: CREATED_MS,
        frame_index: 0,
      },
    });
  });

  it('takes a whole execution row', () => {
    const row = only(execution({ extraFees: [{ feeCoin: 'USDT', feeType: 'GST', subFeeType: '', feeRate: '0.18', fee: '0.02' }] }));
    expect(row).to.deep.equal({
      kind: 'record',
      topic: 'ws-gateway.execution',
      type: 'Execution',
      eventMs: 1_767_225_600_290,
      value: {
        account: 'main',
        category: 'linear',
        asset: 'SOLUSDT',
        exec_id: 'exec-1',
        order_id: 'order-1',
        order_link_id: 'signal-a_1',
        side: 'Buy',
        exec_type: 'Trade',
        create_type: 'CreateByUser',
        quantity: d('2'),
        price: d('150.25'),
        value: d('300.5'),
        fee: d('0.165275'),
        fee_currency: 'USDT',
        extra_fees: [{ coin: 'USDT', fee_type: 'GST', fee: d('0.02') }],
        closed_size: 0n,
        exec_pnl: 0n,
        leaves_quantity: d('1'),
        order_quantity: d('3'),
        is_maker: true,
        seq: SEQ,
        executed_at: 1_767_225_600_290,
        source: 'stream',
        received_at: 1_767_225_600_310,
        envelope_id: `70001_SOLUSDT_${SEQ}`,
        envelope_created_at: CREATED_MS,
        frame_index: 0,
      },
    });
  });

  it('takes a whole position row: the size gets its sign, the event time is the frame\'s', () => {
    expect(only(position())).to.deep.equal({
      kind: 'record',
      topic: 'ws-gateway.position',
      type: 'PositionUpdate',
      eventMs: CREATED_MS,
      value: {
        account: 'main',
        category: 'linear',
        asset: 'SOLUSDT',
        position_idx: 0,
        side: 'Sell',
        size: d('-2'),
        entry_price: d('150.25'),
        entry_price_decimals: 4,
        position_value: d('300.5'),
        mark_price: d('150.3'),
        unrealised_pnl: d('-0.1'),
        cur_realised_pnl: d('-0.165275'),
        cum_realised_pnl: d('12.5'),
        leverage: null,
        liq_price: null,
        take_profit: 0n,
        stop_loss: null,
        trailing_stop: 0n,
        position_status: 'Normal',
        created_at: 1_700_000_000_000,
        updated_at: 1_767_225_600_290,
        seq: SEQ,
        source: 'stream',
        received_at: 1_767_225_600_310,
        envelope_id: `70001_position_${CREATED_MS}`,
        envelope_created_at: CREATED_MS,
        frame_index: 0,
      },
    });
  });

  const tolerated: readonly [string, WireRow, string, unknown][] = [
    ['a number where text is usual', order({ qty: 0.5, leavesQty: 0 }), 'quantity', d('0.5')],
    ['an exponent', execution({ execFee: 1e-7 }), 'fee', d('0.0000001')],
    ['an empty average price', order({ avgPrice: '' }), 'average_price', null],
    ['no leavesQty on options', order({ category: 'option', leavesQty: '' }), 'leaves_quantity', null],
    ['no positionIdx on spot', order({ category: 'spot', positionIdx: undefined }), 'position_idx', null],
    ['positionIdx as text', order({ positionIdx: '2' }), 'position_idx', 2],
    ['a negative fee, a rebate', execution({ execFee: '-0.01' }), 'fee', d('-0.01')],
    ['no closedSize on spot', execution({ category: 'spot', closedSize: '' }), 'closed_size', null],
    ['a list without fees', execution({ extraFees: [] }), 'extra_fees', []],
    ['no list of fees', execution({ extraFees: undefined }), 'extra_fees', []],
    ['a funding row without order and side', execution({ execType: 'Funding', orderId: '', side: '' }), 'side', 'None'],
    ['an execution type nobody knows', execution({ execType: 'SomethingNew' }), 'exec_type', 'SomethingNew'],
    ['no execValue: linear', execution({ execValue: '' }), 'value', d('300.5')],
    ['no execValue: inverse', execution({ category: 'inverse', execQty: '300', execPrice: '150', execValue: undefined }), 'value', d('2')],
    ['nobody says maker', execution({ isMaker: undefined }), 'is_maker', null],
    ['seq as text', execution({ seq: '77' }), 'seq', 77],
    ['execution seq -1', execution({ seq: -1 }), 'seq', null],
    ['execution seq "-1"', execution({ seq: '-1' }), 'seq', null],
    ['execution without seq', execution({ seq: undefined }), 'seq', null],
    ['position seq "-1": never traded', position({ seq: '-1' }), 'seq', -1],
    ['position without seq', position({ seq: '' }), 'seq', null],
    ['flat with an empty side', position({ side: '', size: '0' }), 'side', 'None'],
    ['flat with side None', position({ side: 'None', size: '0' }), 'size', 0n],
    ['a flat leg that keeps its side', position({ side: 'Buy', size: '0' }), 'side', 'None'],
    ['long', position({ side: 'Buy' }), 'size', d('2')],
    ['an entry price without decimals', position({ entryPrice: '150' }), 'entry_price_decimals', 0],
    ['an entry price with exponent', position({ entryPrice: '1.5e-7' }), 'entry_price_decimals', 8],
    ['no entry price', position({ entryPrice: '' }), 'entry_price', null],
    ['no createdTime on a position', position({ createdTime: '' }), 'created_at', 1_767_225_600_290],
    ['a clock that is a month ahead', execution({ execTime: String(CREATED_MS + 30 * 86_400_000) }), 'executed_at', CREATED_MS + 30 * 86_400_000],
    ['a clock of long ago', execution({ execTime: '1' }), 'executed_at', 1],
    ['times as numbers', order({ updatedTime: 1_767_225_600_291 }), 'updated_at', 1_767_225_600_291],
    ['a symbol in letters of its own', frameOf('order', [orderRow({ symbol: '币安USDT' })]), 'asset', '币安USDT'],
    ['20 digits and 18 decimals', order({ price: '99999999999999999999.999999999999999999' }), 'price', 10n ** 38n - 1n],
    ['trailing zeros beyond 18 decimals', order({ price: '1.5000000000000000000000' }), 'price', d('1.5')],
    ['the category of the topic', frameOf('order.inverse', [orderRow({ category: undefined })]), 'category', 'inverse'],
    ['cumExecFee gone, one coin in cumFeeDetail', order({ cumExecFee: undefined, cumFeeDetail: { USDT: '0.2' } }), 'cumulative_fee', d('0.2')],
    ['no cumulative value before the first fill', order({ cumExecQty: '0', cumExecValue: '', cumExecFee: '' }), 'cumulative_value', 0n],
    ['no id on the frame', order({}, { id: undefined }), 'envelope_id', null],
  ];
  for (const [name, frame, field, value] of tolerated) {
    it(`takes ${name}`, () => expect(valueOf(frame)[field]).to.deep.equal(value));
  }

  const ids: readonly [string, unknown, number | null][] = [
    ['of a derivative', '70001_SOLUSDT_123', 123],
    ['of spot, with its symbol number', '70001_22004_123', 123],
    ['of 2023, with dashes', '70001-22004-123', 123],
    ['of another symbol', '70001_BTCUSDT_123', null],
    ['a UUID', '8d7f01d1-2457-4f6a-9b1e-0123456789ab', null],
    ['a UUID of digits alone', '12345678-2457-4567-8901-123456789012', null],
    ['uid and UUID glued together', '5923240c6880ab-c59f-420b-9adb-3639adc9dd90', null],
    ['a seq that no number holds', '70001_SOLUSDT_9999999999999999', null],
    ['not text', 17, null],
  ];
  for (const [name, id, seq] of ids) {
    it(`takes the order's seq from an id ${name}`, () => expect(valueOf(order({}, { id }))['seq']).to.equal(seq));
  }

  it('takes the topics of single categories', () => {
    for (const topic of ['order.spot', 'order.linear', 'execution.inverse', 'position.option']) {
      const rows = { order: orderRow({ category: topic.split('.')[1] }), execution: executionRow({ category: 'inverse' }), position: positionRow({ category: 'option' }) };
      expect(only(frameOf(topic, [rows[topic.split('.')[0] as 'order']])).kind, topic).to.equal('record');
    }
  });

  const refused: readonly [string, unknown, string, string][] = [
    ['a frame that is a list', [], 'BadFrame', 'not an object'],
    ['a frame that is null', null, 'BadFrame', 'not an object'],
    ['no topic', { op: 'pong' }, 'UnknownTopic', 'no topic'],
    ['wallet', frameOf('wallet', []), 'UnknownTopic', 'wallet'],
    ['execution.fast', frameOf('execution.fast', [executionRow()]), 'UnknownTopic', 'execution.fast'],
    ['execution.fast.linear', frameOf('execution.fast.linear', [executionRow()]), 'UnknownTopic', 'execution.fast.linear'],
    ['a topic nobody knows', frameOf('tickers.SOLUSDT', []), 'UnknownTopic', 'tickers'],
    ['a topic named like a member of every object', frameOf('constructor', []), 'UnknownTopic', 'constructor'],
    ['data that is no list', frameOf('order', {}), 'BadFrame', 'data'],
    ['no creationTime', order({}, { creationTime: undefined }), 'MissingField', 'creationTime'],
    ['a row that is no object', frameOf('order', ['x']), 'BadFrame', 'row'],
    ['no symbol', order({ symbol: undefined }), 'MissingField', 'symbol'],
    ['a symbol with a bar', order({ symbol: 'SOL|USDT' }), 'BadField', 'symbol'],
    ['no orderId', order({ orderId: '' }), 'MissingField', 'orderId'],
    ['a zero character in text', order({ orderLinkId: 'a\0b' }), 'BadField', 'orderLinkId'],
    ['text that is an object', order({ orderLinkId: {} }), 'BadField', 'orderLinkId'],
    ['no side', order({ side: undefined }), 'MissingField', 'side'],
    ['a side nobody knows', order({ side: 'Hold' }), 'BadField', 'side'],
    ['an order on no side', order({ side: 'None' }), 'MissingField', 'side'],
    ['a trade on no side', execution({ side: '' }), 'MissingField', 'side'],
    ['no qty', order({ qty: undefined }), 'MissingField', 'qty'],
    ['a qty that is no number', order({ qty: 'abc' }), 'BadNumber', 'qty'],
    ['a qty that is a flag', order({ qty: true }), 'BadNumber', 'qty'],
    ['a negative qty', order({ qty: '-1' }), 'NegativeQuantity', 'qty'],
    ['no cumExecQty', order({ cumExecQty: undefined }), 'MissingField', 'cumExecQty'],
    ['a fill without its value, inverse', order({ category: 'inverse', cumExecValue: '' }), 'MissingField', 'cumExecValue'],
    ['a fill without its fee', order({ cumExecFee: '' }), 'MissingField', 'cumExecFee'],
    ['19 decimals', order({ price: '0.1234567890123456789' }), 'BadNumber', 'price'],
    ['21 digits', order({ price: '100000000000000000000' }), 'BadNumber', 'price'],
    ['no updatedTime', order({ updatedTime: '' }), 'MissingField', 'updatedTime'],
    ['a time before 1970', order({ updatedTime: '-1' }), 'BadTime', 'updatedTime'],
    ['a time no store holds', order({ updatedTime: '9999999999999999' }), 'BadTime', 'updatedTime'],
    ['an order\'s clock in the year 2100', order({ updatedTime: '4102444800000' }), 'BadTime', 'updatedTime'],
    ['an order made in the year 2100', order({ createdTime: '4102444800000' }), 'BadTime', 'createdTime'],
    ['an execution\'s clock in the year 2100', execution({ execTime: 4_102_444_800_000 }), 'BadTime', 'execTime'],
    ['a position\'s clock in the year 2100', position({ updatedTime: '4102444800000' }), 'BadTime', 'updatedTime'],
    ['a frame of the year 2100', order({}, { creationTime: 4_102_444_800_000 }), 'BadTime', 'creationTime'],
    ['a time with a fraction', order({ updatedTime: 1.5 }), 'BadTime', 'updatedTime'],
    ['positionIdx 3', order({ positionIdx: 3 }), 'BadField', 'positionIdx'],
    ['a flag that is none', order({ reduceOnly: 'maybe' }), 'BadField', 'reduceOnly'],
    ['another category than the topic', frameOf('order.spot', [orderRow()]), 'BadField', 'category'],
    ['no category at all', order({ category: '' }), 'MissingField', 'category'],
    ['no execId', execution({ execId: undefined }), 'MissingField', 'execId'],
    ['a negative execQty', execution({ execQty: '-2' }), 'NegativeQuantity', 'execQty'],
    ['an inverse trade at price 0', execution({ category: 'inverse', execPrice: '0' }), 'BadNumber', 'execPrice'],
    ['a value beyond all records', execution({ execQty: '99999999999', execPrice: '99999999999' }), 'BadNumber', 'execQty times execPrice'],
    ['no execFee', execution({ execFee: '' }), 'MissingField', 'execFee'],
    ['an extra fee without amount', execution({ extraFees: [{ feeCoin: 'USDT' }] }), 'MissingField', 'fee'],
    ['extra fees that are no list', execution({ extraFees: { fee: '1' } }), 'BadField', 'extraFees'],
    ['a seq below -1', execution({ seq: -2 }), 'BadSeq', 'seq'],
    ['a seq with a fraction', execution({ seq: 1.5 }), 'BadSeq', 'seq'],
    ['a seq that no number holds exactly', execution({ seq: 2 ** 53 }), 'BadSeq', 'seq'],
    ['no positionIdx on a position', position({ positionIdx: undefined }), 'MissingField', 'positionIdx'],
    ['a negative size', position({ size: '-2' }), 'NegativeQuantity', 'size'],
    ['a size without side', position({ side: '' }), 'MissingField', 'side'],
    ['no size', position({ size: '' }), 'MissingField', 'size'],
  ];
  for (const [name, frame, reason, part] of refused) {
    it(`refuses ${name}`, () => {
      const row = only(frame);
      expect(row).to.include({ kind: 'rejected', reason });
      expect((row as { message: string }).message).to.include(part);
    });
  }

  it('keeps the other rows of a frame, and says which one is bad', () => {
    const rows = parse(frameOf('position', [positionRow({ positionIdx: 1 }), positionRow({ size: 'much' }), positionRow({ positionIdx: 2 })]));
    expect(rows.map((row) => row.kind)).to.deep.equal(['record', 'rejected', 'record']);
    expect(rows[1]).to.include({ frameIndex: 1 });
    expect(rows[2]).to.have.nested.property('value.frame_index', 2);
  });
});
