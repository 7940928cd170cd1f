/*
 * Up to when everything of an account is in the topics. One watermark serves all accounts, so it cannot say this of each; hence
 * the watermarks of the first partition of the order topic carry it as a header, for whoever takes over.
 */

export const KNOWN_HEADER = 'ws-gateway.known';

/** The header's text: no account is known beyond the watermark that carries it. */
export function knownText(known: ReadonlyMap<string, number>, watermarkMs: number): string {
  return JSON.stringify(Object.fromEntries([...known].map(([account, timeMs]) => [account, Math.floor(Math.min(timeMs, watermarkMs))])));
}

/** Reads such a text; null if it is none. */
export function parseKnown(text: string): Map<string, number> | null {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return null;
    return new Map(Object.entries(parsed).filter((entry): entry is [string, number] => typeof entry[1] === 'number' && Number.isFinite(entry[1])));
  } catch {
    return null;
  }
}

/**
 * What a gateway that starts has to take as known of an account: what its predecessors wrote; else, if none of them wrote anything of
 * the kind, how far the topics have come by other means (a recorded session); else it is new, and `newMs` counts.
 */
export function knownUntil(account: string, written: ReadonlyMap<string, number> | null, highestWatermarkMs: number | null, newMs: number): number {
  const own = written?.get(account);
  if (own !== undefined) return own;
  return written === null && highestWatermarkMs !== null ? Math.min(highestWatermarkMs, newMs) : newMs;
}
