import type { Topology } from '../runtime/processor.js';
import { PORTFOLIO_TOPIC, POSITIONS_TOPIC, PositionManager } from './position-manager.js';

/** Position updates in, latest state per book and totals per market out. */
export const positionManagerTopology: Topology = {
  role: 'position-manager',
  inputs: ['ws-gateway.position'],
  outputs: [],
  compactedOutputs: [POSITIONS_TOPIC, PORTFOLIO_TOPIC],
  changelog: 'position-manager.changelog',
  createProcessor: () => new PositionManager(),
};
