import type { Topology } from '../runtime/processor.js';
import { EXECUTION_TOPIC, ORDER_TOPIC, OUTPUT_TOPIC } from './issue.js';
import { createOrderManager } from './order-manager.js';
import type { OrderManagerOptions } from './scope.js';

/** The order-manager between topics: the order stream is declared first, so at equal times an order goes before its fills. */
export function orderManagerTopology(options: Partial<OrderManagerOptions> = {}): Topology {
  return {
    role: 'order-manager',
    inputs: [ORDER_TOPIC, EXECUTION_TOPIC],
    outputs: [OUTPUT_TOPIC],
    compactedOutputs: [],
    changelog: 'order-manager.changelog',
    createProcessor: () => createOrderManager(options),
  };
}
