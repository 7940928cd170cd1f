import { formatDecimal } from '../domain/decimal.js';

/** JSON of rows and records: amounts as exact decimals in text, columns of time as ISO 8601 in UTC. */
export function exactJson(value: unknown, indent?: number): string {
  return JSON.stringify(plain(value), null, indent);
}

function plain(value: unknown, name = ''): unknown {
  if (typeof value === 'bigint') return formatDecimal(value);
  if (typeof value === 'number' && /_(at|after)$/.test(name) && name !== 'seq_after') return new Date(value).toISOString();
  if (Array.isArray(value)) return value.map((item) => plain(item));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, key)]));
}
