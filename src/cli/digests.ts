import { readFile } from 'node:fs/promises';
import { GuidedError } from '../config/guided-error.js';
import { databaseSchema } from '../config/namespace.js';
import type { Options } from '../config/options.js';
import { compareDigests, type ComparedHour, type DigestComparison, type DigestRow } from '../digests/digest-comparison.js';
import { openDatabase } from '../postgres/database.js';
import { requireMigrated } from '../postgres/migrate.js';
import { defineCommand, type Command } from './command.js';
import { isoTime } from './ingest-summary.js';
import { textTable } from './text-table.js';

const EQUAL = 0;
const DIFFERENT = 3;
const DETAILS =
  'A digest is the sum of the hashes of what is known of a book in one hour: every live delta with its amounts, signal, link and cycle. It depends on what is known, not on what came when, ' +
  'so two deployments that received the same have the same. The roles book-digests and book-digests-table keep them: `run book-digests book-digests-table`.';

/** `digests`: what is known, in a few digits a book and hour. */
export const digestCommands: readonly Command[] = [
  defineCommand({
    path: ['digests', 'show'],
    summary: 'digests of the books, hour by hour',
    details: `${DETAILS}\n--json prints what \`digests compare FILE\` reads elsewhere.`,
    options: ['asset', 'limit', 'json', 'namespace', 'databaseUrl'],
    async run({ options, stdout }) {
      const rows = await readDigests(options, databaseSchema(options.namespace), options.asset);
      stdout(options.json ? `${JSON.stringify(rows, null, 2)}\n` : showText(rows, options.limit));
      return 0;
    },
  }),
  defineCommand({
    path: ['digests', 'compare'],
    summary: 'compare the digests of this deployment with those of another',
    details: `${DETAILS}\nAn hour that one side is still in counts only if both have come equally far, or know equally many deltas. Exit codes: 0 equal, 3 different.`,
    positionals: [{ name: 'OTHER', help: 'another namespace on this database, or a file that `digests show --json` printed', count: 'one' }],
    options: ['asset', 'limit', 'json', 'namespace', 'databaseUrl'],
    async run({ positionals, options, stdout }) {
      const [other] = positionals as [string];
      const here = await readDigests(options, databaseSchema(options.namespace), options.asset);
      const there = (await fromFile(other)) ?? (await readDigests(options, other, options.asset));
      const comparison = compareDigests(here, there.filter(({ asset }) => options.asset === null || asset === options.asset));
      stdout(options.json ? `${JSON.stringify(comparison, null, 2)}\n` : comparisonText(comparison, other, options.limit));
      return comparison.isEqual ? EQUAL : DIFFERENT;
    },
  }),
];

type StoredDigest = Omit<DigestRow, 'period_at' | 'watermark_at'> & { readonly period_at: string; readonly watermark_at: string };

async function readDigests({ databaseUrl }: Pick<Options, 'databaseUrl'>, schema: string, asset: string | null): Promise<DigestRow[]> {
  const database = openDatabase({ databaseUrl, schema, applicationName: 'position-linker digests' });
  try {
    await requireMigrated(database, schema);
    const rows = await database.query<StoredDigest>(
      'SELECT * FROM book_digests WHERE $1::text IS NULL OR asset = $1 ORDER BY account, category, asset, position_idx, period_at',
      [asset],
    );
    return rows.map((row) => ({ ...row, period_at: Date.parse(row.period_at), watermark_at: Date.parse(row.watermark_at) }));
  } finally {
    await database.close();
  }
}

/** Null where there is no such file: then it is the name of a namespace. */
async function fromFile(name: string): Promise<DigestRow[] | null> {
  let text: string;
  try {
    text = await readFile(name, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const rows = JSON.parse(text) as DigestRow[];
    if (Array.isArray(rows) && rows.every(({ digest, period_at }) => typeof digest === 'string' && typeof period_at === 'number')) return rows;
  } catch {
    // Told below.
  }
  throw new GuidedError(`${name} holds no digests`, 'make it with `position-linker digests show --json`');
}

function showText(rows: readonly DigestRow[], limit: number): string {
  if (rows.length === 0) return 'no digests: `position-linker run book-digests book-digests-table` makes them\n';
  const cells = rows.slice(-limit).map((row) => [`${row.account}|${row.category}|${row.asset}|${row.position_idx}`, isoTime(row.period_at), String(row.deltas), row.digest, row.total_digest, row.is_final ? 'final' : '']);
  const table = textTable(
    [
      { heading: 'book', align: 'left' },
      { heading: 'hour', align: 'left' },
      { heading: 'deltas', align: 'right' },
      { heading: 'digest of the hour', align: 'left' },
      { heading: 'digest up to its end', align: 'left' },
      { heading: '', align: 'left' },
    ],
    cells,
  );
  return rows.length > limit ? `${table}the last ${limit} of ${rows.length}; --limit N shows more\n` : table;
}

function comparisonText({ isEqual, equal, hours }: DigestComparison, other: string, limit: number): string {
  const line = ({ book, periodAt, verdict, deltasHere, deltasThere }: ComparedHour): string =>
    `${verdict}: book ${book}, hour ${isoTime(periodAt)}: ${deltasHere} deltas here, ${deltasThere} in ${other}\n`;
  const open = hours.filter(({ verdict }) => verdict === 'open').length;
  const told = hours.slice(0, limit).map(line).join('');
  const summary = `${equal} hours of books are equal${open === 0 ? '' : `, ${open} are not over`}\n`;
  return `${told}${summary}${isEqual ? 'equal' : 'different'}\n`;
}
