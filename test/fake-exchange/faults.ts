/** What is wrong with the exchange right now; every time is milliseconds of the machine's clock, 0 is never. */
export interface Faults {
  /** Existing connections neither send nor answer until then. */
  silentUntilMs: number;
  /** Frames wait until then and come in order. */
  delayedUntilMs: number;
  /** Every frame is sent twice until then. */
  duplicateUntilMs: number;
  /** Frames leave in any order until then. */
  reorderUntilMs: number;
  /** New connections are closed at once until then. */
  refuseUntilMs: number;
  /** Keys count as expired until then, on the stream and for REST. */
  expiredUntilMs: number;
  /** REST answers 503 until then. */
  brokenUntilMs: number;
  /** REST answers that too many requests came until then. */
  limitedUntilMs: number;
  /** REST shows what was true so long ago. */
  restLagMs: number;
  /** The exchange's clock is ahead of the machine's by so much. */
  clockAheadMs: number;
  /** Single frames that are sent to nobody, by their place in the session. */
  readonly lostFrames: Set<number>;
}

export function noFaults(): Faults {
  return {
    silentUntilMs: 0, delayedUntilMs: 0, duplicateUntilMs: 0, reorderUntilMs: 0, refuseUntilMs: 0, expiredUntilMs: 0, brokenUntilMs: 0, limitedUntilMs: 0,
    restLagMs: 0, clockAheadMs: 0, lostFrames: new Set(),
  };
}
