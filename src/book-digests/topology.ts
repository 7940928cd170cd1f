import type { Topology } from '../runtime/processor.js';
import { STATE_VERSION } from './state-codec.js';
import { BookDigests, DELTA_TOPIC, DIGEST_TOPIC, type BookDigestsOptions } from './book-digests.js';

/** Deltas in, digests by book and hour out. */
export function bookDigestsTopology(options: BookDigestsOptions): Topology {
  return {
    role: 'book-digests',
    inputs: [DELTA_TOPIC],
    outputs: [],
    compactedOutputs: [DIGEST_TOPIC],
    changelog: 'book-digests.changelog',
    stateVersion: STATE_VERSION,
    createProcessor: () => new BookDigests(options),
  };
}
