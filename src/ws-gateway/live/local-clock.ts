/** Milliseconds of a clock that never jumps; its zero has no meaning. */
export function localMs(): number {
  return performance.now();
}
