/** How a long work is told to a person: a bar that is written over on a terminal, else a line now and then. */
export interface ProgressOptions {
  /** Records in all, as far as that is known beforehand. */
  readonly total: number;
  readonly isTerminal: boolean;
  readonly write: (text: string) => void;
  /** Milliseconds from any origin. */
  readonly now: () => number;
}

const BAR_CHARACTERS = 30;
const BAR_EVERY_MS = 200;
const LINE_EVERY_MS = 5_000;

export class Progress {
  private readonly options: ProgressOptions;
  private readonly startedMs: number;
  private nextMs: number;
  private records = 0;
  private shown = 0;

  constructor(options: ProgressOptions) {
    this.options = options;
    this.startedMs = options.now();
    this.nextMs = this.startedMs + (options.isTerminal ? BAR_EVERY_MS : LINE_EVERY_MS);
  }

  add(records: number): void {
    this.records += records;
    const nowMs = this.options.now();
    if (nowMs < this.nextMs) return;
    this.nextMs = nowMs + (this.options.isTerminal ? BAR_EVERY_MS : LINE_EVERY_MS);
    this.show(nowMs);
  }

  /** Takes the bar away. */
  end(): void {
    const { isTerminal, write } = this.options;
    if (isTerminal && this.shown > 0) write(`\r${' '.repeat(this.shown)}\r`);
    this.shown = 0;
  }

  private show(nowMs: number): void {
    const { isTerminal, write } = this.options;
    const text = progressText(this.records, this.options.total, nowMs - this.startedMs, isTerminal);
    if (isTerminal) {
      write(`\r${text.padEnd(this.shown)}`);
      this.shown = text.length;
    } else write(`${text}\n`);
  }
}

/** Share done, rate since the start, and time left at that rate. */
export function progressText(records: number, total: number, elapsedMs: number, hasBar: boolean): string {
  const share = total === 0 ? 1 : Math.min(1, records / total);
  const rate = elapsedMs <= 0 ? 0 : records / (elapsedMs / 1_000);
  const leftSeconds = rate === 0 ? null : Math.max(0, total - records) / rate;
  const filled = Math.round(share * BAR_CHARACTERS);
  const bar = hasBar ? `[${'#'.repeat(filled)}${'-'.repeat(BAR_CHARACTERS - filled)}] ` : '';
  return `${bar}${Math.floor(share * 100)} % of ${total} records, ${Math.round(rate)} records/s, ${leftSeconds === null ? 'time left unknown' : `${durationText(leftSeconds)} left`}`;
}

function durationText(seconds: number): string {
  const whole = Math.ceil(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  return whole >= 3_600 ? `${Math.floor(whole / 3_600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}` : `${Math.floor(whole / 60)}:${two(whole % 60)}`;
}
