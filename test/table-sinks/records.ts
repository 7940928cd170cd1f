import { parseDecimal } from '../../src/domain/decimal.js';
import type { Order, Position, PositionCycle, PositionOrder } from '../../src/domain/records.js';
import { uuidV5 } from '../../src/domain/uuid.js';

export const T0 = 1_767_225_600_000;
const d = parseDecimal;

/** A UUID by name. */
export const id = (name: string): string => uuidV5(name);

export function link(changes: Partial<PositionOrder> = {}): PositionOrder {
  return {
    id: id('link'), position_id: id('cycle'), account: 'main', category: 'linear', asset: 'SOLUSDT', position_idx: 0, order_id: 'order', exec_id: 'exec', leg: 0,
    side: 'Buy', relationship_type: 'opened', size_delta: d('2'), size_before: 0n, size_after: d('2'), execution_price: d('150.25'), execution_fee: d('0.1'),
    executed_at: T0, seq: 100, signal_id: 'signal', evidence: 'exact', source: 'execution', candidates: null, checks: [], retracted: false, revision: 0,
    reason: 'new', known_at: T0 + 1, inputs: [], ...changes,
  };
}

export function cycle(changes: Partial<PositionCycle> = {}): PositionCycle {
  return {
    position_id: id('cycle'), account: 'main', category: 'linear', asset: 'SOLUSDT', position_idx: 0, side: 'Buy', size: d('2'), average_entry_price: d('150.25'),
    max_size: d('2'), realized_pnl: 0n, fees: d('0.1'), funding: 0n, opened_at: T0, closed_at: null, exit_price: null, first_seq: 100, last_seq: 100,
    cum_realised_pnl_before: null,
    verified_to_seq: 100, contaminated_signal_ids: [], retracted: false, revision: 0, reason: 'new', known_at: T0 + 1, ...changes,
  };
}

export function order(changes: Partial<Order> = {}): Order {
  return {
    account: 'main', category: 'linear', asset: 'SOLUSDT', position_idx: 0, order_id: 'order', order_link_id: 'signal_1', signal_id: 'signal', side: 'Buy',
    order_type: 'Limit', quantity: d('2'), price: d('150.25'), status: 'New', filled_quantity: 0n, average_price: null, fees: 0n, create_type: 'CreateByUser',
    cancel_type: '', reject_reason: '', stop_order_type: '', time_in_force: 'GTC', reduce_only: false, close_on_trigger: false, trigger_price: null,
    take_profit: null, stop_loss: null, created_at: T0, updated_at: T0, executed_at: null, message_seq: 99, message_at: T0, revision: 0, inputs: [], ...changes,
  };
}

export function position(changes: Partial<Position> = {}): Position {
  return {
    account: 'main', category: 'linear', asset: 'SOLUSDT', position_idx: 0, size: d('2'), average_entry_price: d('150.25'), position_value: d('300.5'),
    mark_price: d('151'), unrealised_pnl: d('1.5'), cur_realised_pnl: d('-0.1'), cum_realised_pnl: d('-0.1'), leverage: d('10'), liq_price: null,
    take_profit: null, stop_loss: null, seq: 100, updated_at: T0, version: 0, ...changes,
  };
}
