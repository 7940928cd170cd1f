import type { Topology } from '../runtime/processor.js';
import { EXECUTION_TOPIC, ORDER_TOPIC, OUTPUT_TOPIC } from './issue.js';
import { createOrderManager } from './order-manager.js';
import { EXECUTION_FIELDS } from './execution-content.js';
import { ORDER_FIELDS } from './order-content.js';
import type { OrderManagerOptions } from './scope.js';
import { STATE_VERSION } from './state-codec.js';

const MARKET = ['account', 'category', 'asset'] as const;

/** The order-manager between topics: the order stream is declared first, so at equal times an order goes before its fills. */
export function orderManagerTopology(options: Partial<OrderManagerOptions> = {}): Topology {
  return {
    role: 'order-manager',
    inputs: [ORDER_TOPIC, EXECUTION_TOPIC],
    outputs: [OUTPUT_TOPIC],
    compactedOutputs: [],
    changelog: 'order-manager.changelog',
    stateVersion: STATE_VERSION,
    reads: { OrderUpdate: [...MARKET, 'order_id', ...ORDER_FIELDS], Execution: [...MARKET, 'exec_id', ...EXECUTION_FIELDS] },
    createProcessor: (keepsChanges = true) => createOrderManager(options, keepsChanges),
  };
}
