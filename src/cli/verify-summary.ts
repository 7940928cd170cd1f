import { CHECK_NAMES, CHECKS, type Breach } from '../verify/breach.js';
import type { VerifyReport } from '../verify/verify.js';
import { exactJson } from './exact-json.js';
import { plainText, textTable } from './text-table.js';

/** Breaches of one check shown on a terminal; JSON has all. */
const SHOWN_BREACHES = 10;

export function verifyText({ breaches, made, books, orders, recordsBehind, waiting, isInterrupted }: VerifyReport): string {
  const table = textTable(
    [
      { heading: 'check', align: 'left' },
      { heading: 'made', align: 'right' },
      { heading: 'breaches', align: 'right' },
      { heading: 'what has to hold', align: 'left' },
    ],
    CHECK_NAMES.map((name) => [name, String(made[name]), String(breaches.filter(({ check }) => check === name).length), CHECKS[name]]),
  );
  const shown = CHECK_NAMES.flatMap((name) => {
    const own = breaches.filter(({ check }) => check === name);
    const more = own.length - SHOWN_BREACHES;
    return [...own.slice(0, SHOWN_BREACHES).map(breachText), ...(more > 0 ? [`${name}: ${more} more; --json has them all\n`] : [])];
  });
  const notes = [
    ...(recordsBehind > 0 ? [`tables are ${recordsBehind} records behind their topics: these were judged as the topics say\n`] : []),
    ...(waiting > 0 ? [`${waiting} position updates and fills still wait for a watermark: they are left out\n`] : []),
    ...(isInterrupted ? ['interrupted: not all was looked at\n'] : []),
  ];
  const scope = `${counted(books, 'book')} and ${counted(orders, 'order')}`;
  const checks = CHECK_NAMES.reduce((sum, name) => sum + made[name], 0);
  if (checks === 0) return `${notes.join('')}nothing to check: neither tables nor topics know a book or an order\n`;
  const verdict = breaches.length === 0 ? `all holds: ${checks} checks of ${scope}\n` : `${breaches.length === 1 ? '1 breach' : `${breaches.length} breaches`} in ${scope}\n`;
  return `${table}\n${shown.join('')}${notes.join('')}${verdict}`;
}

function breachText({ check, book, message, expected, actual, witness }: Breach): string {
  const name = [book.account, book.category, book.asset, book.position_idx ?? ''].join(' ').trim();
  const values = expected === null && actual === null ? '' : `\n  expected ${expected ?? 'nothing'}, found ${actual ?? 'nothing'}`;
  return plainText(`${check}: ${name}: ${message}`) + plainLines(values) + `\n  ${plainText(`${witness.source} ${exactJson(witness.row)}`)}\n`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function plainLines(text: string): string {
  return text.split('\n').map(plainText).join('\n');
}

export function verifyJson({ breaches, made, books, orders, recordsBehind, waiting, isInterrupted }: VerifyReport, asset: string | null): string {
  return `${exactJson(
    {
      holds: breaches.length === 0,
      interrupted: isInterrupted,
      asset,
      books,
      orders,
      recordsBehind,
      waiting,
      checks: CHECK_NAMES.map((check) => ({ check, what: CHECKS[check], made: made[check], breaches: breaches.filter((breach) => breach.check === check).length })),
      breaches: breaches.map(({ check, book, message, expected, actual, witness }) => ({
        check, account: book.account, category: book.category, asset: book.asset, position_idx: book.position_idx, message, expected, actual, witness,
      })),
    },
    2,
  )}\n`;
}
