import type { Topology } from '../runtime/processor.js';
import { ORDER_EVENTS_TOPIC, POSITION_TOPIC } from './input-topic.js';
import { OUTPUT } from './issuer.js';
import type { LinkerOptions } from './market.js';
import { createPositionLinker } from './position-linker.js';
import { STATE_VERSION } from './market-store.js';

/** The position-linker between topics: at equal times fills go before the position update that shows them. */
export function positionLinkerTopology(options: Partial<LinkerOptions> = {}): Topology {
  return {
    role: 'position-linker',
    inputs: [ORDER_EVENTS_TOPIC, POSITION_TOPIC],
    outputs: [OUTPUT.links, OUTPUT.cycles, OUTPUT.deltas, OUTPUT.discrepancies],
    compactedOutputs: [],
    changelog: 'position-linker.changelog',
    stateVersion: STATE_VERSION,
    // The fields of OrderMark and PositionMark, and the market they belong to.
    reads: {
      Order: ['account', 'category', 'asset', 'position_idx', 'message_seq', 'message_at'],
      PositionUpdate: [
        'account', 'category', 'asset', 'position_idx', 'seq', 'size', 'entry_price', 'entry_price_decimals', 'position_value', 'cum_realised_pnl', 'updated_at',
        'envelope_created_at',
      ],
    },
    createProcessor: (keepsChanges = true) => createPositionLinker(options, keepsChanges),
  };
}
