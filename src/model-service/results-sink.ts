import type { SinkInput, SinkRole } from '../postgres/sink.js';
import { ResultTask } from './result-task.js';
import { predictionTradingResultsTable } from './result-tables.js';

// In the order in which the merge takes records of one effective time: a cycle follows the deltas of the same cause.
const inputs: readonly SinkInput[] = [
  { topic: 'position-linker.prediction_deltas', sink: predictionTradingResultsTable.name },
  { topic: 'position-linker.position_cycles', sink: predictionTradingResultsTable.name },
];

/** The model-service: what each signal earned in each cycle, in a table. */
export const modelService: SinkRole = {
  role: 'model-service',
  inputs,
  createTask: (codec, stored) => new ResultTask(codec, inputs, stored),
};
