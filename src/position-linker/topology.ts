import type { Topology } from '../runtime/processor.js';
import { ORDER_EVENTS_TOPIC, POSITION_TOPIC } from './input-topic.js';
import { OUTPUT } from './issuer.js';
import type { LinkerOptions } from './market.js';
import { createPositionLinker } from './position-linker.js';

/** The position-linker between topics: at equal times fills go before the position update that shows them. */
export function positionLinkerTopology(options: Partial<LinkerOptions> = {}): Topology {
  return {
    role: 'position-linker',
    inputs: [ORDER_EVENTS_TOPIC, POSITION_TOPIC],
    outputs: [OUTPUT.links, OUTPUT.cycles, OUTPUT.deltas, OUTPUT.discrepancies],
    compactedOutputs: [],
    changelog: 'position-linker.changelog',
    createProcessor: () => createPositionLinker(options),
  };
}
