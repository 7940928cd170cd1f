import { printTable } from './rate.js';

/** One run of a stage. */
export interface Run {
  readonly records: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly brokerCpuSeconds: number | null;
  readonly databaseCpuSeconds: number | null;
  readonly peakRssMb: number;
  /** Load average of the last minute when the run ended. */
  readonly load: number;
}

/** A stage's runs as medians, field by field. */
export interface StageReport {
  readonly stage: string;
  readonly partitions: number | null;
  readonly runs: number;
  readonly records: number;
  readonly recordsPerSecond: number;
  readonly slowestPerSecond: number;
  readonly fastestPerSecond: number;
  /** Bare consume and decode of the same topics. */
  readonly ceilingPerSecond: number | null;
  readonly cpuSeconds: number;
  /** Of this process's own CPU time: says more than the clock on a machine that does other things too. */
  readonly recordsPerCpuSecond: number;
  readonly brokerCpuSeconds: number | null;
  readonly databaseCpuSeconds: number | null;
  readonly peakRssMb: number;
  readonly load: number;
}

export interface LatencyReport {
  readonly recordsPerSecond: number;
  readonly links: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
  readonly [other: string]: unknown;
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
}

function medianOrNull(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length < values.length ? null : median(known);
}

export function reportOf(stage: string, partitions: number | null, runs: readonly Run[], ceilingPerSecond: number | null): StageReport {
  const rates = runs.map(({ records, seconds }) => records / seconds);
  return {
    stage,
    partitions,
    runs: runs.length,
    records: median(runs.map(({ records }) => records)),
    recordsPerSecond: median(rates),
    slowestPerSecond: Math.min(...rates),
    fastestPerSecond: Math.max(...rates),
    ceilingPerSecond,
    cpuSeconds: median(runs.map((run) => run.cpuSeconds)),
    recordsPerCpuSecond: median(runs.map(({ records, cpuSeconds }) => records / cpuSeconds)),
    brokerCpuSeconds: medianOrNull(runs.map((run) => run.brokerCpuSeconds)),
    databaseCpuSeconds: medianOrNull(runs.map((run) => run.databaseCpuSeconds)),
    peakRssMb: median(runs.map((run) => run.peakRssMb)),
    load: median(runs.map((run) => run.load)),
  };
}

const HEAD = ['stage', 'partitions', 'records', 'records/s', 'slowest', 'fastest', 'ceiling/s', 'CPU s', 'records/CPU s', 'broker CPU s', 'database CPU s', 'peak MB', 'load', 'runs'];

export function printStages(stages: readonly StageReport[]): void {
  printTable([HEAD, ...stages.map(rowOf)]);
}

function rowOf(stage: StageReport): string[] {
  return [
    stage.stage,
    whole(stage.partitions),
    whole(stage.records),
    whole(stage.recordsPerSecond),
    whole(stage.slowestPerSecond),
    whole(stage.fastestPerSecond),
    whole(stage.ceilingPerSecond),
    tenths(stage.cpuSeconds),
    whole(stage.recordsPerCpuSecond),
    tenths(stage.brokerCpuSeconds),
    tenths(stage.databaseCpuSeconds),
    whole(stage.peakRssMb),
    tenths(stage.load),
    String(stage.runs),
  ];
}

export function whole(value: number | null): string {
  return value === null ? '-' : Math.round(value).toLocaleString('en');
}

export function tenths(value: number | null): string {
  return value === null ? '-' : value.toFixed(1);
}
