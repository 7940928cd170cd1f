/*
 * Ids in the usual form, 36 characters of lower-case hexadecimal digits and dashes, as 16 bytes. Anything else, an id in capitals
 * among it, is no such id: it has to come back as it was.
 */

export const UUID_LENGTH = 36;
export const UUID_BYTES = 16;

const DASH = '-'.charCodeAt(0);
const DIGITS = '0123456789abcdef';
/** Value of a digit by its character code; -1 for every other code below 128. */
const VALUES = new Int8Array(128).fill(-1);
for (let value = 0; value < DIGITS.length; value++) VALUES[DIGITS.charCodeAt(value)] = value;
const CODES = [...DIGITS].map((digit) => digit.charCodeAt(0));

/** Character codes of the text that is read; the dashes stay. */
const codes: number[] = new Array<number>(UUID_LENGTH).fill(DASH);

/** Where the digits of each byte stand in the text. */
const PLACES = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34);

/** Writes an id of 36 characters at a place that has room for it; false, and what stands there is of no use, if it is no id in the usual form. */
export function writeUuid(text: string, bytes: Uint8Array, at: number): boolean {
  if (text.charCodeAt(8) !== DASH || text.charCodeAt(13) !== DASH || text.charCodeAt(18) !== DASH || text.charCodeAt(23) !== DASH) return false;
  let seen = 0;
  let values = 0;
  for (let i = 0; i < UUID_BYTES; i++) {
    const place = PLACES[i]!;
    const highCode = text.charCodeAt(place);
    const lowCode = text.charCodeAt(place + 1);
    seen |= highCode | lowCode;
    const high = VALUES[highCode & 127]!;
    const low = VALUES[lowCode & 127]!;
    values |= high | low;
    bytes[at + i] = (high << 4) | low;
  }
  return seen < 128 && values >= 0;
}

/** The id that writeUuid wrote. */
export function readUuid(bytes: Uint8Array, at: number): string {
  for (let i = 0; i < UUID_BYTES; i++) {
    const byte = bytes[at + i]!;
    const place = PLACES[i]!;
    codes[place] = CODES[byte >>> 4]!;
    codes[place + 1] = CODES[byte & 15]!;
  }
  return String.fromCharCode.apply(null, codes);
}
