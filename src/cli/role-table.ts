import type { Options } from '../config/options.js';
import { orderManagerTopology } from '../order-manager/topology.js';
import { positionManagerTopology } from '../position-manager/topology.js';
import type { Topology } from '../runtime/processor.js';
import type { Settings } from '../runtime/task-state.js';

/** Options that results depend on: stored with the state at the first start. */
export const PIPELINE_OPTIONS = ['policy', 'joinWindowMs', 'horizonMs', 'horizonEvents', 'signalPattern'] as const;

export type PipelineOptions = Pick<Options, (typeof PIPELINE_OPTIONS)[number]>;

export function settingsOf(options: PipelineOptions): Settings {
  return Object.fromEntries(PIPELINE_OPTIONS.map((name) => [name, options[name]]));
}

/** The roles between topics, each after those whose topics it reads. */
export function topologies({ joinWindowMs, horizonMs, signalPattern }: PipelineOptions): readonly Topology[] {
  return [orderManagerTopology({ joinWindowMs, horizonMs, signalPattern }), positionManagerTopology];
}
