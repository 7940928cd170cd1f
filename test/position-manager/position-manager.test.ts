import { expect } from 'chai';
import { formatDecimal, parseDecimal } from '../../src/domain/decimal.js';
import type { Portfolio, Position, PositionUpdate } from '../../src/domain/records.js';
import type { MergedRecord } from '../../src/runtime/processor.js';
import { PORTFOLIO_TOPIC, PositionManager, POSITIONS_TOPIC } from '../../src/position-manager/position-manager.js';
import { positionManagerTopology } from '../../src/position-manager/topology.js';
import { merged, RecordingEmitter, T0, update } from './position-updates.js';

const d = parseDecimal;

function run(...updates: readonly PositionUpdate[]): RecordingEmitter {
  const emitter = new RecordingEmitter();
  const processor = new PositionManager();
  updates.forEach((value, index) => processor.process(merged(value, index), emitter));
  return emitter;
}

const positions = (emitter: RecordingEmitter) => emitter.emitted.filter((each) => each.topic === POSITIONS_TOPIC).map((each) => each.value as Position);
const portfolios = (emitter: RecordingEmitter) => emitter.emitted.filter((each) => each.topic === PORTFOLIO_TOPIC).map((each) => each.value as Portfolio);

describe('position-manager', () => {
  it('issues the row of a book and the totals of its market, at the effective time', () => {
    const emitter = new RecordingEmitter();
    new PositionManager().process(merged(update(), 0, T0 + 99), emitter);
    expect(emitter.emitted).to.deep.equal([
      {
        topic: 'position-manager.positions',
        key: 'SOLUSDT|main|linear|0',
        type: 'Position',
        eventMs: T0 + 99,
        value: {
          account: 'main',
          category: 'linear',
          asset: 'SOLUSDT',
          position_idx: 0,
          size: d('2'),
          average_entry_price: d('150.25'),
          position_value: d('300.5'),
          mark_price: d('150.3'),
          unrealised_pnl: d('0.1'),
          cur_realised_pnl: d('-0.2'),
          cum_realised_pnl: d('12.5'),
          leverage: d('10'),
          liq_price: null,
          take_profit: 0n,
          stop_loss: null,
          seq: 100,
          updated_at: T0,
          version: 0,
        },
      },
      {
        topic: 'position-manager.portfolio',
        key: 'SOLUSDT|main|linear',
        type: 'Portfolio',
        eventMs: T0 + 99,
        value: {
          account: 'main',
          category: 'linear',
          asset: 'SOLUSDT',
          net_size: d('2'),
          gross_size: d('2'),
          position_value: d('300.5'),
          unrealised_pnl: d('0.1'),
          cur_realised_pnl: d('-0.2'),
          cum_realised_pnl: d('12.5'),
          open_books: 1,
          updated_at: T0,
          version: 0,
        },
      },
    ]);
  });

  const contests: readonly [string, Partial<PositionUpdate>, Partial<PositionUpdate>][] = [
    ['a lower seq, though its clocks are later', { seq: 101, size: d('7') }, { seq: 100, updated_at: T0 + 9, envelope_created_at: T0 + 99 }],
    ['seq -1: never traded', { seq: 1, size: d('7') }, { seq: -1, updated_at: T0 + 9, envelope_created_at: T0 + 99 }],
    ['no seq', { seq: 1, size: d('7') }, { seq: null, updated_at: T0 + 9, envelope_created_at: T0 + 99 }],
    ['an earlier updatedTime', { updated_at: T0 + 1, size: d('7') }, { updated_at: T0, envelope_created_at: T0 + 99 }],
    ['an earlier frame', { envelope_created_at: T0 + 11, size: d('7') }, { envelope_created_at: T0 + 10 }],
    ['the lesser text, where all times are equal', { size: d('7') }, { size: d('2') }],
  ];
  for (const [name, winner, loser] of contests) {
    it(`keeps its state against ${name}, in both orders`, () => {
      const stale = run(update(winner), update(loser));
      expect(positions(stale).map((row) => row.size)).to.deep.equal([d('7')]);
      const fresh = run(update(loser), update(winner));
      expect(positions(fresh).map((row) => row.size)).to.deep.equal([d('2'), d('7')]);
      expect(fresh.latest()).to.deep.equal(stale.latest());
    });
  }

  it('counts versions of rows and issues nothing where nothing changes', () => {
    const later = { seq: 101, updated_at: T0 + 1, envelope_created_at: T0 + 20 };
    const emitter = run(
      update(),
      update(),
      update({ envelope_created_at: T0 + 15 }), // the same said again
      update({ ...later, mark_price: d('151') }), // totals stay, but for the time
      update({ seq: 102, updated_at: T0 + 1, envelope_created_at: T0 + 30, mark_price: d('152') }), // totals stay
    );
    expect(positions(emitter).map((row) => [row.version, formatDecimal(row.mark_price ?? 0n)])).to.deep.equal([[0, '150.3'], [1, '151'], [2, '152']]);
    expect(portfolios(emitter).map((row) => [row.version, row.updated_at])).to.deep.equal([[0, T0], [1, T0 + 1]]);
  });

  it('remembers the frame time of a state that was said again', () => {
    const emitter = run(update(), update({ envelope_created_at: T0 + 50 }), update({ envelope_created_at: T0 + 40, size: d('9') }));
    expect(positions(emitter).map((row) => row.size)).to.deep.equal([d('2')]);
  });

  it('adds up the legs of a market, with their signs, and no other market', () => {
    const emitter = run(
      update({ position_idx: 1, size: d('5') }),
      update({ position_idx: 2, side: 'Sell', size: d('-3'), cum_realised_pnl: null, updated_at: T0 + 7 }),
      update({ account: 'other', size: d('100') }),
      update({ category: 'inverse', size: d('1000') }),
      update({ position_idx: 1, side: 'None', size: 0n, position_value: 0n, unrealised_pnl: 0n, seq: 101 }),
    );
    const totals = portfolios(emitter).filter((row) => row.account === 'main' && row.category === 'linear');
    expect(totals.map((row) => [formatDecimal(row.net_size), formatDecimal(row.gross_size), formatDecimal(row.position_value), formatDecimal(row.cum_realised_pnl), row.open_books, row.updated_at, row.version])).to.deep.equal([
      ['5', '5', '300.5', '12.5', 1, T0, 0],
      ['2', '8', '601', '12.5', 2, T0 + 7, 1],
      ['-3', '3', '300.5', '12.5', 1, T0 + 7, 2],
    ]);
    expect(new Set(emitter.emitted.map((each) => each.key)).size).to.equal(7);
  });

  it('shows a book that never traded without seq', () => {
    expect(positions(run(update({ seq: -1 })))[0]?.seq).to.equal(null);
  });

  it('refuses records of another kind', () => {
    const emitter = new RecordingEmitter();
    new PositionManager().process({ ...merged(update(), 0), type: 'Watermark', value: { watermark_at: 1 } } as MergedRecord, emitter);
    expect(emitter.deadLetters).to.deep.equal(['UnexpectedRecord']);
  });

  it('holds no watermark back, and none of its topics carries one', () => {
    expect(new PositionManager().advance(17)).to.equal(17);
    expect(positionManagerTopology).to.deep.include({ inputs: ['ws-gateway.position'], outputs: [], compactedOutputs: [POSITIONS_TOPIC, PORTFOLIO_TOPIC] });
  });

  it('refuses state of another version', () => {
    expect(() => new PositionManager().restore('k', Buffer.from('[2,"a","linear","X",1]'))).to.throw('version 2');
  });
});
