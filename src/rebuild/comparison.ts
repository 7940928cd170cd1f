import { DISCREPANCIES, digestColumns, EXPLAINED, HISTORY_COLUMNS } from '../digests/digest-columns.js';
import { digestText } from '../digests/row-digest.js';
import { bookDigests, bookExpression, type BookDigest, type RowSelection } from '../digests/sql-digest.js';
import { arrayLiteral } from '../postgres/cell-text.js';
import type { Queries } from '../postgres/session.js';
import { identifier } from '../postgres/table-sql.js';
import type { Column, Table } from '../postgres/table.js';

/** How one row differs. Cells as the database shows them. */
export interface RowDifference {
  readonly table: string;
  /** changed: in both; missing: not in the live table; added: only in the live table. */
  readonly kind: 'changed' | 'missing' | 'added';
  readonly book: string;
  readonly key: Readonly<Record<string, string | null>>;
  /** Columns that differ; of a row on one side only, all that say something. */
  readonly columns: Readonly<Record<string, { readonly live: string | null; readonly rebuilt: string | null }>>;
  /** Whether nothing but history differs: how the row came about, not what it says. */
  readonly isHistoryOnly: boolean;
}

export interface BookComparison {
  readonly book: string;
  readonly live: string;
  readonly rebuilt: string;
  readonly liveRows: number;
  readonly rebuiltRows: number;
}

export interface TableComparison {
  readonly table: string;
  readonly liveRows: number;
  readonly rebuiltRows: number;
  readonly live: string;
  readonly rebuilt: string;
  readonly isEqual: boolean;
  readonly changed: number;
  readonly missing: number;
  readonly added: number;
  readonly historyOnly: number;
  /** Books whose rows differ. */
  readonly books: readonly BookComparison[];
  /** The first of them. */
  readonly differences: readonly RowDifference[];
}

export interface CompareOptions {
  readonly table: Table<never>;
  readonly live: Queries;
  readonly rebuilt: Queries;
  readonly selection: RowSelection | null;
  /** Only what the rows say: two sides that became what they are in different ways. */
  readonly isContentOnly?: boolean;
  /** Columns left out, besides. */
  readonly leftOut?: ReadonlySet<string>;
  /** Differences told in full. */
  readonly shown: number;
}

/** Books fetched at a time: their rows are in memory. */
const BOOKS_AT_A_TIME = 20;

/** One table of two schemas: first by digests of books, then row by row where these differ. */
export async function compareTable({ table, live, rebuilt, selection, shown, isContentOnly = false, leftOut = new Set() }: CompareOptions): Promise<TableComparison> {
  const content = digestColumns(table).filter(({ name }) => !leftOut.has(name));
  const [liveBooks, rebuiltBooks] = await Promise.all([bookDigests(live, table, selection, content), bookDigests(rebuilt, table, selection, content)]);
  const differing = differingBooks(liveBooks, rebuiltBooks, isContentOnly);
  const fetched: FetchedRows = { table, selection, columns: isContentOnly ? contentColumns(table, content) : table.columns.map(({ name }) => name), isContentOnly };
  const counts = { changed: 0, missing: 0, added: 0, historyOnly: 0 };
  const differences: RowDifference[] = [];
  for (let at = 0; at < differing.length; at += BOOKS_AT_A_TIME) {
    const books = differing.slice(at, at + BOOKS_AT_A_TIME);
    const [liveRows, rebuiltRows] = await Promise.all([rowsOf(live, fetched, books), rowsOf(rebuilt, fetched, books)]);
    for (const difference of rowDifferences(fetched, liveRows, rebuiltRows)) {
      counts[difference.kind]++;
      if (difference.isHistoryOnly) counts.historyOnly++;
      if (differences.length < shown) differences.push(difference);
    }
  }
  const find = (digests: readonly BookDigest[], book: string): BookDigest => digests.find((digest) => digest.book === book) ?? { book, rows: 0, high: 0n, low: 0n, bytes: '' };
  return {
    table: table.name,
    ...totals(liveBooks, rebuiltBooks),
    isEqual: differing.length === 0,
    ...counts,
    books: differing.map((book) => {
      const [ofLive, ofRebuilt] = [find(liveBooks, book), find(rebuiltBooks, book)];
      return { book, live: digestText(ofLive), rebuilt: digestText(ofRebuilt), liveRows: ofLive.rows, rebuiltRows: ofRebuilt.rows };
    }),
    differences,
  };
}

function differingBooks(live: readonly BookDigest[], rebuilt: readonly BookDigest[], isContentOnly: boolean): string[] {
  const text = (digest: BookDigest): string => `${digest.rows} ${digestText(digest)}${isContentOnly ? '' : ` ${digest.bytes}`}`;
  // A book without rows that count is no book.
  const counted = (digests: readonly BookDigest[]): Map<string, string> => new Map(digests.filter(({ rows }) => !isContentOnly || rows > 0).map((digest) => [digest.book, text(digest)]));
  const ofLive = counted(live);
  const ofRebuilt = counted(rebuilt);
  return [...new Set([...ofLive.keys(), ...ofRebuilt.keys()])].filter((book) => ofLive.get(book) !== ofRebuilt.get(book)).sort();
}

/** Digest of a table: the sum over its books. */
function tableDigest(books: readonly BookDigest[]): { readonly rows: number; readonly digest: string } {
  let [rows, high, low] = [0, 0n, 0n];
  for (const book of books) {
    rows += book.rows;
    high = BigInt.asUintN(64, high + book.high);
    low = BigInt.asUintN(64, low + book.low);
  }
  return { rows, digest: digestText({ rows, high, low }) };
}

function totals(live: readonly BookDigest[], rebuilt: readonly BookDigest[]): Pick<TableComparison, 'liveRows' | 'rebuiltRows' | 'live' | 'rebuilt'> {
  const [ofLive, ofRebuilt] = [tableDigest(live), tableDigest(rebuilt)];
  return { liveRows: ofLive.rows, rebuiltRows: ofRebuilt.rows, live: ofLive.digest, rebuilt: ofRebuilt.digest };
}

type TextRow = Readonly<Record<string, string | null>>;

/** What is fetched of differing books. */
interface FetchedRows {
  readonly table: Table<never>;
  readonly selection: RowSelection | null;
  readonly columns: readonly string[];
  readonly isContentOnly: boolean;
}

/** What a row says, and what names it. */
function contentColumns(table: Table<never>, content: readonly Column<never>[]): string[] {
  const names = new Set(content.map(({ name }) => name));
  return table.columns.filter(({ name }, position) => names.has(name) || table.key.includes(position)).map(({ name }) => name);
}

async function rowsOf(queries: Queries, { table, selection, columns, isContentOnly }: FetchedRows, books: readonly string[]): Promise<Map<string, TextRow>> {
  const cells = columns.map((name) => `${identifier(name)}::text AS ${identifier(name)}`).join(', ');
  const conditions = [`${bookExpression(table)} = ANY ($${selection === null ? 1 : 2}::text[])`, ...(selection === null ? [] : [selection.condition])];
  if (isContentOnly && table.name === DISCREPANCIES) conditions.push(`status <> '${EXPLAINED}'`);
  const parameters = [...(selection === null ? [] : [selection.parameter]), arrayLiteral('text', books)];
  const rows = await queries.query<TextRow>(`SELECT ${cells} FROM ${identifier(table.name)} WHERE ${conditions.join(' AND ')}`, parameters);
  return new Map(rows.map((row) => [JSON.stringify(table.key.map((position) => row[table.columns[position]?.name as string] ?? null)), row]));
}

function* rowDifferences({ table, columns }: FetchedRows, live: ReadonlyMap<string, TextRow>, rebuilt: ReadonlyMap<string, TextRow>): Iterable<RowDifference> {
  for (const key of [...new Set([...rebuilt.keys(), ...live.keys()])].sort()) {
    const difference = rowDifference(table, columns, live.get(key), rebuilt.get(key));
    if (difference !== null) yield difference;
  }
}

function rowDifference(table: Table<never>, columns: readonly string[], live: TextRow | undefined, rebuilt: TextRow | undefined): RowDifference | null {
  const row = (live ?? rebuilt) as TextRow;
  const names = columns.filter((name) => (live?.[name] ?? null) !== (rebuilt?.[name] ?? null));
  if (names.length === 0 && live !== undefined && rebuilt !== undefined) return null;
  return {
    table: table.name,
    kind: live === undefined ? 'missing' : rebuilt === undefined ? 'added' : 'changed',
    book: ['account', 'category', 'asset', 'position_idx'].map((name) => row[name]).filter((cell) => cell !== undefined && cell !== null).join('|'),
    key: Object.fromEntries(table.key.map((position) => [table.columns[position]?.name as string, row[table.columns[position]?.name as string] ?? null])),
    columns: Object.fromEntries(names.map((name) => [name, { live: live?.[name] ?? null, rebuilt: rebuilt?.[name] ?? null }])),
    isHistoryOnly: live !== undefined && rebuilt !== undefined && names.every((name) => HISTORY_COLUMNS.has(name)),
  };
}
