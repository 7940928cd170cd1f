/** Speed of one piece of code: operations a second of wall-clock time and of this process's CPU time, medians of the runs. */
export interface Rate {
  readonly perSecond: number;
  readonly perCpuSecond: number;
}

const RUNS = 5;
const RUN_MS = 300;

/** Calls `work` over and over; the first run warms up and does not count. */
export function measureRate(work: () => void): Rate {
  const wall: number[] = [];
  const cpu: number[] = [];
  let batch = 1000;
  for (let run = 0; run <= RUNS; run++) {
    const startedMs = performance.now();
    const cpuBefore = process.cpuUsage();
    let count = 0;
    while (performance.now() - startedMs < RUN_MS) {
      for (let i = 0; i < batch; i++) work();
      count += batch;
    }
    const elapsed = (performance.now() - startedMs) / 1000;
    const { user, system } = process.cpuUsage(cpuBefore);
    batch = Math.max(1000, Math.round(count / 20));
    if (run === 0) continue;
    wall.push(count / elapsed);
    cpu.push(count / ((user + system) / 1e6));
  }
  return { perSecond: median(wall), perCpuSecond: median(cpu) };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

export function thousands(perSecond: number): string {
  return `${Math.round(perSecond / 1000)} k`;
}

/** Columns padded to their widest cell; the first row is the head. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  for (const row of rows) console.log(row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  '));
}
