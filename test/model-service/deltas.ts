import { parseDecimal } from '../../src/domain/decimal.js';
import type { PositionCycle, PredictionDelta } from '../../src/domain/records.js';

export const T0 = 1_767_225_600_000;
const d = parseDecimal;

export function delta(changes: Partial<PredictionDelta> = {}): PredictionDelta {
  return {
    id: 'delta',
    signal_id: 'a',
    position_id: 'p1',
    account: 'main',
    category: 'linear',
    asset: 'SOLUSDT',
    position_idx: 0,
    side: 'Buy',
    kind: 'entry',
    quantity: d('2'),
    price: d('150'),
    value: d('300'),
    realized_pnl: 0n,
    fee: d('0.1'),
    funding: 0n,
    exit_signal_id: null,
    exit_reason: null,
    link_id: 'link',
    cash_id: null,
    reverses: null,
    seq: 100,
    executed_at: T0,
    known_at: T0,
    ...changes,
  };
}

export function exit(changes: Partial<PredictionDelta> = {}): PredictionDelta {
  return delta({ kind: 'exit', price: d('160'), value: d('320'), realized_pnl: d('20'), exit_signal_id: 'b', exit_reason: 'user', executed_at: T0 + 1_000, ...changes });
}

/** Takes a delta back: amounts negated, everything else as it was. */
export function reversal(of: PredictionDelta): PredictionDelta {
  return {
    ...of,
    id: `${of.id} reversed`,
    reverses: of.id,
    quantity: -of.quantity,
    value: -of.value,
    realized_pnl: of.realized_pnl === null ? null : -of.realized_pnl,
    fee: -of.fee,
    funding: -of.funding,
    known_at: of.known_at + 1,
  };
}

export function cycle(changes: Partial<PositionCycle> = {}): PositionCycle {
  return {
    position_id: 'p1',
    account: 'main',
    category: 'linear',
    asset: 'SOLUSDT',
    position_idx: 0,
    side: 'Buy',
    size: d('2'),
    average_entry_price: d('150'),
    max_size: d('2'),
    realized_pnl: 0n,
    fees: d('0.1'),
    funding: 0n,
    opened_at: T0,
    closed_at: null,
    exit_price: null,
    first_seq: 100,
    last_seq: 100,
    cum_realised_pnl_before: null,
    verified_to_seq: 120,
    contaminated_signal_ids: [],
    retracted: false,
    revision: 0,
    reason: 'new',
    known_at: T0,
    ...changes,
  };
}
