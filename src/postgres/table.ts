/*
 * A table as data: its columns, and how a record becomes a row. Declared once, used by the SQL sinks and by tables in
 * memory alike, so that both hold the same rows. Pure.
 */

export type ColumnType = 'text' | 'uuid' | 'integer' | 'bigint' | 'numeric' | 'boolean' | 'timestamptz' | 'text[]' | 'jsonb';

/**
 * A value of a column: numeric is a bigint in units of 10^-18; timestamptz a number of milliseconds since the epoch;
 * integer and bigint a safe integer; jsonb the text of a JSON value.
 */
export type Cell = string | number | bigint | boolean | readonly string[] | null;

export interface Column<R> {
  readonly name: string;
  readonly type: ColumnType;
  /** The sink's own memory, not part of what the table tells: left out of files. */
  readonly isInternal?: true;
  readonly cell: (record: R) => Cell;
}

export interface Table<R> {
  readonly name: string;
  /** In the order of the SQL table. */
  readonly columns: readonly Column<R>[];
  /** Primary key: positions in `columns`. */
  readonly key: readonly number[];
  /** Key columns that may be null, where null equals null. */
  readonly nullableKey: boolean;
}

interface TableSpec<R> {
  readonly name: string;
  readonly key: readonly string[];
  readonly nullableKey?: boolean;
  readonly columns: readonly Column<R>[];
}

export function defineTable<R>({ name, key, nullableKey = false, columns }: TableSpec<R>): Table<R> {
  const positions = key.map((column) => columns.findIndex((candidate) => candidate.name === column));
  if (positions.includes(-1)) throw new Error(`table ${name} lacks a column of its key (${key.join(', ')})`);
  return { name, columns, key: positions, nullableKey };
}

type CellOf<T extends ColumnType> = T extends 'text' | 'uuid' | 'jsonb'
  ? string
  : T extends 'integer' | 'bigint' | 'timestamptz'
    ? number
    : T extends 'numeric'
      ? bigint
      : T extends 'boolean'
        ? boolean
        : readonly string[];

/** Names of the fields of R whose values fit a column type. */
type FieldFor<R, T extends ColumnType> = { [F in keyof R & string]: R[F] extends CellOf<T> | null ? F : never }[keyof R & string];

/** Columns that are record fields under their own name. */
export function fields<R>() {
  return function of<T extends ColumnType>(type: T, ...names: readonly FieldFor<R, T>[]): readonly Column<R>[] {
    return names.map((name) => ({ name, type, cell: (record: R) => record[name] as Cell }));
  };
}

export function rowOf<R>(table: Table<R>, record: R): Cell[] {
  const { columns } = table;
  const row = new Array<Cell>(columns.length);
  for (let position = 0; position < columns.length; position++) row[position] = (columns[position] as Column<R>).cell(record);
  return row;
}

export function keyOf<R>(table: Table<R>, record: R): Cell[] {
  return table.key.map((position) => (table.columns[position] as Column<R>).cell(record));
}

/** One text for one key; distinct keys have distinct texts. */
export function keyText(key: readonly Cell[]): string {
  return key.length === 1 && typeof key[0] === 'string' ? key[0] : JSON.stringify(key);
}
