import { divideHalfEven, formatDecimal, parseDecimal } from '../domain/decimal.js';
import { plainText, type TextColumn } from './text-table.js';

/** How a value of a query is shown; JSON output has it whole. */
export type CellKind = 'text' | 'number' | 'id' | 'signal' | 'time' | 'list' | 'flag';

export interface ShownColumn extends TextColumn {
  /** Column of the query. */
  readonly name: string;
  readonly kind: CellKind;
}

export function shownColumn(heading: string, name: string, kind: CellKind): ShownColumn {
  return { heading, name, kind, align: kind === 'number' ? 'right' : 'left' };
}

/** Decimals of amounts on a terminal: the exchange's own precision of money. */
const SHOWN_DECIMALS = 8;
const UNIT = 10n ** BigInt(18 - SHOWN_DECIMALS);
const ID_CHARACTERS = 8;
const SIGNAL_CHARACTERS = 14;

/** An exact number as text, rounded to 8 decimals. */
export function shownNumber(text: string): string {
  return formatDecimal(divideHalfEven(parseDecimal(text), UNIT) * UNIT);
}

export function shownCell(kind: CellKind, value: unknown): string {
  if (value === null || value === undefined) return kind === 'signal' ? 'unattributed' : '';
  switch (kind) {
    case 'number':
      return typeof value === 'string' ? shownNumber(value) : String(value);
    case 'id':
      return shortened(String(value), ID_CHARACTERS);
    case 'signal':
      return shortened(String(value), SIGNAL_CHARACTERS);
    case 'time':
      return String(value).replace('T', ' ').replace('Z', '');
    case 'list':
      return plainText((value as readonly string[]).map((item) => shortened(item, SIGNAL_CHARACTERS)).join(' '));
    case 'flag':
      return value === true ? 'yes' : 'no';
    default:
      return plainText(String(value));
  }
}

function shortened(text: string, characters: number): string {
  const all = [...plainText(text)];
  return all.length <= characters + 1 ? all.join('') : `${all.slice(0, characters).join('')}…`;
}
