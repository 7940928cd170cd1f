import type { Queries } from '../postgres/session.js';
import type { Subject, SubjectKind } from './story.js';

export const SUBJECT_KINDS: readonly SubjectKind[] = ['order', 'exec', 'position', 'signal', 'asset'];

/** Where ids of each kind are found, as select lists of (id, asset). */
const SOURCES: Readonly<Record<SubjectKind, readonly string[]>> = {
  order: ['SELECT order_id AS id, asset FROM orders'],
  exec: ['SELECT exec_id AS id, asset FROM position_orders', 'SELECT exec_id AS id, asset FROM position_discrepancies'],
  position: ['SELECT position_id::text AS id, asset FROM position_cycles'],
  signal: ['SELECT signal_id AS id, asset FROM prediction_trading_results', 'SELECT signal_id AS id, asset FROM orders'],
  asset: ['SELECT asset AS id, asset FROM orders', 'SELECT asset AS id, asset FROM positions', 'SELECT asset AS id, asset FROM position_cycles'],
};

export const UNATTRIBUTED = 'unattributed';

/** From how many characters on the beginning of an id stands for it. */
const SHORTEST_PREFIX = 6;

/**
 * What a word names: ids equal to it, or, where there is none, the ids that begin with it. kind null: of any kind. One subject
 * for each asset that an id is known in.
 */
export async function findSubjects(queries: Queries, kind: SubjectKind | null, word: string): Promise<Subject[]> {
  const kinds = kind === null ? SUBJECT_KINDS : [kind];
  if (kind === 'signal' && word === UNATTRIBUTED) return unattributed(queries);
  const exact = await select(queries, kinds, 'id = $1', word);
  if (exact.length > 0 || word.length < SHORTEST_PREFIX) return exact;
  return select(queries, kinds, 'starts_with(id, $1)', word.replace(/…$/, ''));
}

async function select(queries: Queries, kinds: readonly SubjectKind[], condition: string, word: string): Promise<Subject[]> {
  const parts = kinds.flatMap((kind) => SOURCES[kind].map((source) => `SELECT '${kind}' AS kind, id, asset FROM (${source}) s WHERE ${condition}`));
  return queries.query<{ kind: SubjectKind; id: string; asset: string }>(`SELECT DISTINCT kind, id, asset FROM (${parts.join(' UNION ALL ')}) f ORDER BY kind, id, asset LIMIT 1000`, [word]);
}

async function unattributed(queries: Queries): Promise<Subject[]> {
  const rows = await queries.query<{ asset: string }>('SELECT DISTINCT asset FROM prediction_trading_results WHERE signal_id IS NULL ORDER BY asset');
  return rows.map(({ asset }) => ({ kind: 'signal', id: null, asset }));
}
