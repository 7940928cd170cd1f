import { isName } from './exchange-fields.js';

/*
 * What the id of a frame tells. Observed forms (none of them documented):
 *
 *   {uid}_{symbol}_{seq}      order, execution of derivatives
 *   {uid}_{symbolId}_{seq}    the same of spot; in 2023 with dashes
 *   {uid}_position_{ms}       position, and wallet alike
 *   a UUID, or uid and UUID glued together: untriggered conditional orders, and everything before 2024
 */

interface IdParts {
  readonly uid: string;
  readonly middle: string;
  readonly last: string;
}

const UNDERSCORES = /^(\d{1,20})_(.+)_(\d{1,16})$/;
/** A UUID has five parts, so it never has this form. */
const DASHES = /^(\d{1,20})-([^-]+)-(\d{1,16})$/;
const SYMBOL_ID = /^\d+$/;

/** The last id taken apart: the rows of one frame, and often those of the next, share it. */
let lastId: string | null = null;
let lastParts: IdParts | null = null;

function partsOf(id: string): IdParts | null {
  if (id === lastId) return lastParts;
  const match = UNDERSCORES.exec(id) ?? DASHES.exec(id);
  lastId = id;
  lastParts = match === null ? null : { uid: match[1] as string, middle: match[2] as string, last: match[3] as string };
  return lastParts;
}

/** The account's uid; null where the id carries none. */
export function uidOfEnvelopeId(id: string | null): string | null {
  const uid = id === null ? null : (partsOf(id)?.uid ?? null);
  return uid !== null && isName(uid) ? uid : null;
}

/** The cross sequence of an order frame, if the id names this symbol or a numeric symbol id; else null. */
export function seqOfEnvelopeId(id: string | null, symbol: string): number | null {
  const parts = id === null ? null : partsOf(id);
  if (parts === null) return null;
  if (parts.middle !== symbol && !SYMBOL_ID.test(parts.middle)) return null;
  const seq = Number(parts.last);
  return Number.isSafeInteger(seq) ? seq : null;
}
