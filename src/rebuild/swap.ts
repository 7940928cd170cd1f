import { GuidedError } from '../config/guided-error.js';
import { arrayLiteral } from '../postgres/cell-text.js';
import { DatabaseError } from '../postgres/database-error.js';
import { Session, type Queries } from '../postgres/session.js';
import type { SinkOffset } from '../postgres/sink-offsets.js';
import { identifier } from '../postgres/table-sql.js';
import { REBUILT_TABLES } from './live-tables.js';

/*
 * The swap, one transaction. Tables change places as wholes, so it takes no longer for large ones.
 *
 *   1. sink_offsets is locked against writers. A sink moves its offsets before it writes a row, so from here on none is in
 *      the middle of anything, and each waits before its first row;
 *   2. the tables are locked, the live ones and their views put aside, the rebuilt ones put in their place with the rights
 *      that were granted on the old ones;
 *   3. the stored offsets are set to the point the rebuilt tables stand at;
 *   4. the old tables are dropped. Should something of others hang on them, nothing of all this happens.
 *
 * A sink that had gone on meanwhile finds its offset moved, forgets what is in memory, and goes on from there.
 */

export interface SwapOptions {
  readonly databaseUrl: string;
  readonly live: string;
  readonly shadow: string;
  /** Where the rebuilt tables stand. */
  readonly offsets: readonly SinkOffset[];
}

const ATTEMPTS = 10;

/** Throws GuidedError when views of others depend on the tables; DatabaseError when the locks could not be had. */
export async function swapTables(options: SwapOptions): Promise<void> {
  const session = new Session({ databaseUrl: options.databaseUrl, schema: options.live, applicationName: 'position-linker rebuild' });
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        await session.transaction((queries) => swapOnce(queries, options));
        return;
      } catch (error) {
        if (error instanceof DatabaseError && error.sqlState === '2BP01') {
          throw new GuidedError('views or constraints that are not of position-linker depend on the live tables, so these cannot be replaced', 'drop them, swap, and make them again', { cause: error });
        }
        // A reader that holds one table and waits for another: whoever gave way tries again.
        const mayTryAgain = error instanceof DatabaseError && (error.sqlState === '40P01' || error.sqlState === '55P03') && session.isUsable;
        if (!mayTryAgain || attempt === ATTEMPTS) throw error;
      }
    }
  } finally {
    await session.end();
  }
}

async function swapOnce(queries: Queries, { live, shadow, offsets }: SwapOptions): Promise<void> {
  const aside = `${live}_replaced`;
  const of = (schema: string, name: string): string => `${identifier(schema)}.${identifier(name)}`;
  const tables = REBUILT_TABLES.map(({ name }) => name);
  await queries.query(`LOCK TABLE ${of(live, 'sink_offsets')} IN SHARE ROW EXCLUSIVE MODE`);
  await queries.query(`LOCK TABLE ${tables.map((name) => of(live, name)).join(', ')} IN ACCESS EXCLUSIVE MODE`);
  const views = (
    await queries.query<{ name: string }>(`SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'v' ORDER BY 1`, [identifier(shadow)])
  ).map(({ name }) => name);
  for (const name of [...tables, ...views]) await copyRights(queries, of(live, name), of(shadow, name));
  await queries.query(`CREATE SCHEMA ${identifier(aside)}`);
  for (const [kind, names] of [['VIEW', views], ['TABLE', tables]] as const) {
    for (const name of names) {
      await queries.query(`ALTER ${kind} IF EXISTS ${of(live, name)} SET SCHEMA ${identifier(aside)}`);
      await queries.query(`ALTER ${kind} ${of(shadow, name)} SET SCHEMA ${identifier(live)}`);
    }
  }
  await setOffsets(queries, of(live, 'sink_offsets'), offsets);
  for (const name of views) await queries.query(`DROP VIEW IF EXISTS ${of(aside, name)}`);
  await queries.query(`DROP TABLE ${tables.map((name) => of(aside, name)).join(', ')}`);
  await queries.query(`DROP SCHEMA ${identifier(aside)}`);
  await queries.query(`DROP SCHEMA ${identifier(shadow)} CASCADE`);
}

/** Owner and grants of one relation for another; comments come with the migrations. */
async function copyRights(queries: Queries, from: string, to: string): Promise<void> {
  const [relation] = await queries.query<{ owner: string; isOwn: boolean }>('SELECT pg_get_userbyid(relowner) AS owner, relowner = current_user::regrole AS "isOwn" FROM pg_class WHERE oid = to_regclass($1)', [from]);
  if (relation === undefined) return;
  const grants = await queries.query<{ grantee: string; privilege: string; grantable: boolean }>(
    `SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS grantee, privilege_type AS privilege, is_grantable AS grantable
     FROM pg_class, aclexplode(relacl) WHERE oid = $1::regclass AND grantee <> relowner`,
    [from],
  );
  for (const { grantee, privilege, grantable } of grants) await queries.query(`GRANT ${privilege} ON ${to} TO ${grantee}${grantable ? ' WITH GRANT OPTION' : ''}`);
  if (!relation.isOwn) await queries.query(`ALTER TABLE ${to} OWNER TO ${identifier(relation.owner)}`);
}

async function setOffsets(queries: Queries, table: string, offsets: readonly SinkOffset[]): Promise<void> {
  await queries.query(
    `UPDATE ${table} o SET next_offset = p.next_offset, watermark_at = p.watermark_at, records_applied = p.records, merge_state = p.merge_state::jsonb
     FROM (SELECT unnest($1::text[]) AS sink, unnest($2::text[]) AS topic, unnest($3::integer[]) AS partition, unnest($4::bigint[]) AS next_offset,
       unnest($5::timestamptz[]) AS watermark_at, unnest($6::bigint[]) AS records, unnest($7::text[]) AS merge_state) p
     WHERE o.sink = p.sink AND o.topic = p.topic AND o.partition = p.partition`,
    [
      arrayLiteral('text', offsets.map(({ sink }) => sink)),
      arrayLiteral('text', offsets.map(({ topic }) => topic)),
      arrayLiteral('integer', offsets.map(({ partition }) => partition)),
      arrayLiteral('bigint', offsets.map(({ nextOffset }) => nextOffset)),
      arrayLiteral('timestamptz', offsets.map(({ watermarkMs }) => watermarkMs)),
      arrayLiteral('bigint', offsets.map(({ recordsApplied }) => recordsApplied)),
      arrayLiteral('text', offsets.map(({ mergeState }) => mergeState)),
    ],
  );
}
