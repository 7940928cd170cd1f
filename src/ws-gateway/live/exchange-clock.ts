/*
 * The exchange's clock, as seen from here. A pong, or REST's time, says what the exchange's clock was at some moment between
 * the request and its answer; half of the way there and back is the best guess, and the quickest of the last answers the best
 * of the guesses. Local times are of a clock that never jumps; the exchange's may, and then a new offset is taken once several
 * answers agree on it, so that one wild answer moves nothing.
 */

/** Answers among which the quickest is taken. */
const KEPT_SAMPLES = 12;
/** Older answers are forgotten: clocks drift. */
const MAX_AGE_MS = 120_000;
/** Further off than its own uncertainty and this: another clock than before. */
const JUMP_MS = 1_000;
/** So many answers in a row must agree on a jump. */
const AGREEING = 3;

export interface ClockSample {
  /** Local time when the request was sent, and when its answer was there. */
  readonly sentMs: number;
  readonly receivedMs: number;
  /** What the exchange's clock said in between. */
  readonly serverMs: number;
}

/** What a sample changed: nothing but precision, or the clock has jumped by so much. */
export type ClockChange = { readonly kind: 'steady' } | { readonly kind: 'jumped'; readonly byMs: number };

const STEADY: ClockChange = { kind: 'steady' };

interface Offset {
  readonly offsetMs: number;
  readonly roundTripMs: number;
  readonly takenMs: number;
}

export class ExchangeClock {
  /** Told of every jump, with how far it went. */
  readonly onJump: ((byMs: number) => void)[] = [];
  #samples: Offset[] = [];
  /** Samples in a row that contradict the offset in use. */
  #dissenting: Offset[] = [];
  #offsetMs: number | null = null;

  /** Exchange time less local time; null before the first sample. */
  get offsetMs(): number | null {
    return this.#offsetMs;
  }

  /** Exchange time at a local time; throws before the first sample. */
  at(localMs: number): number {
    if (this.#offsetMs === null) throw new Error('the clock of the exchange is not known yet');
    return localMs + this.#offsetMs;
  }

  take({ sentMs, receivedMs, serverMs }: ClockSample): ClockChange {
    if (!Number.isFinite(serverMs) || receivedMs < sentMs) return STEADY;
    const sample: Offset = { offsetMs: serverMs - (sentMs + receivedMs) / 2, roundTripMs: receivedMs - sentMs, takenMs: receivedMs };
    if (this.#offsetMs === null || this.#agrees(sample, this.#offsetMs)) {
      this.#dissenting = [];
      this.#keep(sample);
      return STEADY;
    }
    return this.#doubt(sample, this.#offsetMs);
  }

  #agrees(sample: Offset, offsetMs: number): boolean {
    return Math.abs(sample.offsetMs - offsetMs) <= sample.roundTripMs / 2 + JUMP_MS;
  }

  #keep(sample: Offset): void {
    this.#samples = [...this.#samples.filter(({ takenMs }) => takenMs >= sample.takenMs - MAX_AGE_MS), sample].slice(-KEPT_SAMPLES);
    this.#offsetMs = this.#samples.reduce((best, each) => (each.roundTripMs < best.roundTripMs ? each : best)).offsetMs;
  }

  #doubt(sample: Offset, offsetMs: number): ClockChange {
    const [first] = this.#dissenting;
    if (first !== undefined && !this.#agrees(sample, first.offsetMs)) this.#dissenting = [];
    this.#dissenting.push(sample);
    if (this.#dissenting.length < AGREEING) return STEADY;
    const agreed = this.#dissenting;
    this.#samples = [];
    this.#dissenting = [];
    for (const each of agreed) this.#keep(each);
    const byMs = (this.#offsetMs ?? offsetMs) - offsetMs;
    for (const tell of this.onJump) tell(byMs);
    return { kind: 'jumped', byMs };
  }
}
