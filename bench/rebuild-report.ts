import { tenths, whole } from './report.js';
import type { StageAnswer } from './stage-process.js';

/** One rebuild and its ceiling, as their processes told them. */
export interface RebuildRun {
  readonly load: StageAnswer;
  readonly ceiling: StageAnswer;
}

/** Where the time goes; seconds of threads are summed. */
export function rebuildText({ load, ceiling }: RebuildRun): string {
  const of = (answer: StageAnswer, name: string): number => Number(answer[name]);
  const threadSeconds = of(load, 'rolesSeconds') + of(load, 'waitingSeconds') + of(load, 'copySeconds');
  const share = (name: string): string => `${whole((100 * of(load, name)) / threadSeconds)} %`;
  const rate = (records: number, seconds: number): string => whole(records / seconds);
  return [
    `rebuild of ${whole(of(load, 'records'))} source records into ${whole(of(load, 'rows'))} rows: ${tenths(of(load, 'seconds'))} s, ${rate(of(load, 'records'), of(load, 'seconds'))} records/s, peak memory ${whole(of(load, 'peakRssMb'))} MB; indexes ${tenths(of(load, 'indexSeconds'))} s more`,
    `  of the threads' time: decoding and roles ${share('rolesSeconds')}, waiting for the log ${share('waitingSeconds')}, copying ${share('copySeconds')}`,
    `ceiling: ${tenths(of(ceiling, 'seconds'))} s, ${rate(of(ceiling, 'records'), of(ceiling, 'seconds'))} records/s: read and decode ${tenths(of(ceiling, 'readSeconds'))} s, ${rate(of(ceiling, 'records'), of(ceiling, 'readSeconds'))} records/s; copy ${tenths(of(ceiling, 'copySeconds'))} s, ${rate(of(load, 'rows'), of(ceiling, 'copySeconds'))} rows/s, ${whole(of(ceiling, 'bytes') / 1e6)} MB`,
    `  the rebuild runs at ${whole((100 * of(ceiling, 'seconds')) / of(load, 'seconds'))} % of its ceiling`,
  ].join('\n');
}
