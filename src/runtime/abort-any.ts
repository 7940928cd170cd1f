/**
 * A signal that is aborted with the first of others, for the same reason. AbortSignal.any is not used for that: it holds its
 * sources so weakly that the collector may take a deadline (AbortSignal.timeout) before it has come, and then nothing ever
 * aborts (nodejs/node issues 57736 and 65995).
 */
export function abortAny(signals: readonly AbortSignal[]): AbortSignal {
  const controller = new AbortController();
  for (const signal of signals) {
    if (signal.aborted) controller.abort(signal.reason);
    else signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true, signal: controller.signal });
  }
  return controller.signal;
}
