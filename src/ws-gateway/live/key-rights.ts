import { isRow } from '../exchange-fields.js';

/** What a key may do, as far as it matters here. */
export interface KeyRights {
  /** The account's uid. */
  readonly uid: string;
  readonly isReadOnly: boolean;
  readonly mayTrade: boolean;
  readonly mayWithdraw: boolean;
  /** Date as the exchange words it; null if it does not expire, or not told. */
  readonly expiresAt: string | null;
}

/** From the answer to the question about the key itself; null if it cannot be read. */
export function keyRights(result: unknown): KeyRights | null {
  if (!isRow(result)) return null;
  const uid = result['userID'];
  if ((typeof uid !== 'number' && typeof uid !== 'string') || String(uid) === '') return null;
  const isReadOnly = result['readOnly'] === 1;
  const permissions = isRow(result['permissions']) ? result['permissions'] : {};
  const lists = Object.entries(permissions).map(([name, list]) => [name, Array.isArray(list) ? list.map(String) : []] as const);
  const expiresAt = result['expiredAt'];
  return {
    uid: String(uid),
    isReadOnly,
    mayTrade: !isReadOnly && lists.some(([name, list]) => name !== 'Wallet' && list.length > 0),
    mayWithdraw: !isReadOnly && lists.some(([, list]) => list.includes('Withdraw')),
    expiresAt: typeof expiresAt === 'string' && expiresAt !== '' && !expiresAt.startsWith('1970') ? expiresAt : null,
  };
}

/** What is too much for a key that is only to read; null if nothing is. */
export function rightsWarning({ isReadOnly, mayTrade, mayWithdraw }: KeyRights): string | null {
  if (isReadOnly) return null;
  if (mayWithdraw) return 'the key may withdraw: replace it by a read-only one';
  if (mayTrade) return 'the key may trade: a read-only one is enough';
  return 'the key is not read-only: a read-only one is enough';
}
