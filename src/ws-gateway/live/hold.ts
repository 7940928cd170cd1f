import type { Gap } from './gap-state.js';

/** While other accounts of the process are connected, one account's gap holds up all of them for so long at most; what comes later is late, which is harmless. */
export const MOST_HELD_MS = 30_000;

export interface AccountState {
  readonly gap: Gap | null;
  readonly isConnected: boolean;
}

/** Whether watermarks stand: an account has a gap, and nobody else has waited long enough for it. */
export function isHeld(accounts: readonly AccountState[], nowMs: number): boolean {
  const isAnyWell = accounts.some(({ gap, isConnected }) => gap === null && isConnected);
  return accounts.some(({ gap }) => gap !== null && !(isAnyWell && nowMs - gap.noticedMs > MOST_HELD_MS));
}
