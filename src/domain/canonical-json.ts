import { formatDecimal, type Decimal } from './decimal.js';

/** What has a canonical form. A bigint is a Decimal and is written as its text; numbers must be finite. */
export type CanonicalValue =
  | null
  | boolean
  | number
  | string
  | Decimal
  | readonly CanonicalValue[]
  | { readonly [key: string]: CanonicalValue | undefined };

/**
 * One text for one content: keys sorted by code unit, no white space, decimals as the shortest exact string, members that
 * are undefined left out. Used where records are compared, ordered or shown as evidence.
 * Throws TypeError on a number that JSON cannot hold.
 */
export function canonicalJson(value: CanonicalValue | object): string {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'bigint':
      return `"${formatDecimal(value)}"`;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`no canonical form for the number ${value}`);
      return Object.is(value, -0) ? '0' : String(value);
    case 'object':
      return Array.isArray(value) ? arrayText(value) : objectText(value as { readonly [key: string]: CanonicalValue | undefined });
    default:
      throw new TypeError(`no canonical form for a ${typeof value}`);
  }
}

function arrayText(items: readonly CanonicalValue[]): string {
  let text = '[';
  for (let i = 0; i < items.length; i++) {
    if (i > 0) text += ',';
    text += canonicalJson(items[i] as CanonicalValue);
  }
  return `${text}]`;
}

function objectText(members: { readonly [key: string]: CanonicalValue | undefined }): string {
  let text = '{';
  for (const key of Object.keys(members).sort()) {
    const value = members[key];
    if (value === undefined) continue;
    text += `${text.length > 1 ? ',' : ''}${JSON.stringify(key)}:${canonicalJson(value)}`;
  }
  return `${text}}`;
}
