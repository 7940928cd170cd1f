import type { Topology } from '../runtime/processor.js';
import { STATE_VERSION } from './market-state.js';
import { PORTFOLIO_TOPIC, POSITIONS_TOPIC, PositionManager } from './position-manager.js';

/** Position updates in, latest state per book and totals per market out. */
export const positionManagerTopology: Topology = {
  role: 'position-manager',
  inputs: ['ws-gateway.position'],
  outputs: [],
  compactedOutputs: [POSITIONS_TOPIC, PORTFOLIO_TOPIC],
  changelog: 'position-manager.changelog',
  stateVersion: STATE_VERSION,
  reads: {
    PositionUpdate: [
      'account', 'category', 'asset', 'position_idx', 'size', 'entry_price', 'position_value', 'mark_price', 'unrealised_pnl', 'cur_realised_pnl',
      'cum_realised_pnl', 'leverage', 'liq_price', 'take_profit', 'stop_loss', 'seq', 'updated_at', 'envelope_created_at',
    ],
  },
  createProcessor: (keepsChanges = true) => new PositionManager(keepsChanges),
};
