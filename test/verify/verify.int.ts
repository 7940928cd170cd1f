import { expect } from 'chai';
import { parseDecimal } from '../../src/domain/decimal.js';
import type { PositionUpdate, PredictionDelta, RecordName, RecordTypes } from '../../src/domain/records.js';
import { partitionOf } from '../../src/kafka/partitioner.js';
import type { Database } from '../../src/postgres/database.js';
import { CHECK_NAMES, type CheckName } from '../../src/verify/breach.js';
import { JUDGED } from '../../src/verify/table-snapshot.js';
import { captureNames, readCapture } from '../captures/captures.js';
import { scratchSchema, type Scratch } from '../postgres/scratch-database.js';
import { PARTITIONS, storeSession, type StoredSession } from './stored-session.js';

/** Lines of several recorded sessions as one, each an account of its own. */
function linesOf(names: readonly string[]): string[] {
  const lines = names.flatMap((name) => readCapture(name).lines.map((line) => ({ ...(JSON.parse(line) as { receivedAt: number }), account: name })));
  return lines.sort((a, b) => a.receivedAt - b.receivedAt).map((line) => JSON.stringify(line));
}

/** A link in the middle of a finished cycle, none of a reversal. */
const LINK = "(SELECT id FROM position_orders WHERE relationship_type = 'decreased' AND exec_id IS NOT NULL ORDER BY asset, seq, id LIMIT 1)";
const CLOSED = '(SELECT position_id FROM position_cycles WHERE closed_at IS NOT NULL AND fees > 0 ORDER BY opened_at, position_id LIMIT 1)';
const RESULT = "ctid = (SELECT ctid FROM prediction_trading_results WHERE realized_pnl IS NOT NULL AND is_closed ORDER BY position_id, signal_id LIMIT 1)";

/** What somebody may do to a row, and the checks that must see it. */
const TAMPERINGS: readonly { readonly what: string; readonly sql: string; readonly seenBy: readonly CheckName[] }[] = [
  { what: 'a price changed', sql: `UPDATE position_orders SET execution_price = execution_price + 1 WHERE id = ${LINK}`, seenBy: ['rows'] },
  { what: 'a row added', sql: "INSERT INTO portfolio SELECT 'other', category, asset, settle_coin, net_size, gross_size, position_value, unrealised_pnl, cur_realised_pnl, cum_realised_pnl, open_books, updated_at, version FROM portfolio LIMIT 1", seenBy: ['rows'] },
  { what: 'a row deleted', sql: 'DELETE FROM portfolio WHERE ctid = (SELECT ctid FROM portfolio LIMIT 1)', seenBy: ['rows'] },
  { what: 'a number too fine for any record', sql: `UPDATE position_orders SET size_delta = size_delta + 0.00000000000000000001 WHERE id = ${LINK}`, seenBy: ['rows', 'closed_cycles'] },
  { what: 'a size after changed', sql: `UPDATE position_orders SET size_after = size_after + 1 WHERE id = ${LINK}`, seenBy: ['link_sums', 'chain'] },
  { what: 'a label changed', sql: `UPDATE position_orders SET relationship_type = 'increased' WHERE id = ${LINK}`, seenBy: ['link_sums'] },
  { what: 'a reversal that does not go on', sql: "DELETE FROM position_orders WHERE id = (SELECT id FROM position_orders WHERE leg = 1 ORDER BY asset, seq, id LIMIT 1)", seenBy: ['link_sums', 'link_deltas', 'size_equation'] },
  { what: 'sizes before and after moved alike', sql: `UPDATE position_orders SET size_before = size_before + 0.001, size_after = size_after + 0.001 WHERE id = ${LINK}`, seenBy: ['chain'] },
  { what: 'a link put into a cycle that is none', sql: `UPDATE position_orders SET position_id = '00000000-0000-0000-0000-000000000000' WHERE id = ${LINK}`, seenBy: ['link_cycles', 'link_deltas'] },
  { what: 'a cycle deleted', sql: `DELETE FROM position_cycles WHERE position_id = ${CLOSED}`, seenBy: ['link_cycles', 'link_deltas'] },
  { what: 'the links of a cycle deleted', sql: `DELETE FROM position_orders WHERE position_id = ${CLOSED}`, seenBy: ['link_cycles', 'link_deltas', 'link_orders'] },
  { what: 'a size change changed', sql: `UPDATE position_orders SET size_delta = size_delta + 1 WHERE id = ${LINK}`, seenBy: ['link_sums', 'closed_cycles', 'size_equation', 'link_deltas', 'link_orders'] },
  { what: 'a closed cycle opened', sql: `UPDATE position_cycles SET closed_at = NULL WHERE position_id IN (SELECT position_id FROM position_cycles WHERE account = 'reversals' ORDER BY opened_at LIMIT 2)`, seenBy: ['closed_cycles', 'one_open_cycle'] },
  { what: 'a position of another size', sql: "UPDATE positions SET size = size + 1 WHERE category = 'linear'", seenBy: ['open_position'] },
  { what: 'a link moved to another seq', sql: `UPDATE position_orders SET seq = seq - 1000000 WHERE id = ${LINK}`, seenBy: ['chain', 'size_equation'] },
  { what: 'a lot grown', sql: `UPDATE prediction_trading_results SET open_quantity = open_quantity + 1 WHERE ${RESULT}`, seenBy: ['lots', 'results'] },
  { what: 'a result changed by the smallest unit', sql: `UPDATE prediction_trading_results SET realized_pnl = realized_pnl + 0.000000000000000001 WHERE ${RESULT}`, seenBy: ['results'] },
  { what: 'a result deleted', sql: `DELETE FROM prediction_trading_results WHERE ${RESULT}`, seenBy: ['results'] },
  { what: 'a result on the other side', sql: `UPDATE prediction_trading_results SET direction = CASE direction WHEN 'long' THEN 'short' ELSE 'long' END WHERE ${RESULT}`, seenBy: ['lots'] },
  { what: 'fees of a cycle changed', sql: `UPDATE position_cycles SET fees = fees + 0.000000000000000001 WHERE position_id = ${CLOSED}`, seenBy: ['cycle_sums'] },
  { what: 'the fee of a link changed', sql: `UPDATE position_orders SET execution_fee = execution_fee + 0.00000001 WHERE id = ${LINK}`, seenBy: ['link_deltas'] },
  { what: 'the signal of a link changed', sql: `UPDATE position_orders SET signal_id = 'another' WHERE id = ${LINK}`, seenBy: ['link_orders'] },
  { what: 'an order that filled less', sql: 'UPDATE orders SET filled_quantity = filled_quantity - 0.001 WHERE filled_quantity > 0', seenBy: ['link_orders'] },
  { what: 'an order deleted', sql: `DELETE FROM orders WHERE order_id = (SELECT order_id FROM position_orders WHERE id = ${LINK})`, seenBy: ['link_orders'] },
  { what: 'an execution that is none', sql: `UPDATE position_orders SET exec_id = 'none' WHERE id = ${LINK}`, seenBy: ['link_orders'] },
  { what: 'a link on the other side', sql: `UPDATE position_orders SET side = CASE side WHEN 'Buy' THEN 'Sell' ELSE 'Buy' END WHERE id = ${LINK}`, seenBy: ['link_sums', 'link_cycles'] },
  { what: 'a cycle that was larger', sql: `UPDATE position_cycles SET max_size = max_size + 1 WHERE position_id = ${CLOSED}`, seenBy: ['chain'] },
  { what: 'a result of nobody', sql: `INSERT INTO prediction_trading_results SELECT 'nobody', position_id, asset, direction, entry_quantity, entry_price, entry_at, exit_quantity, exit_price, exit_at, realized_pnl, fees, funding, net_pnl, open_quantity, is_closed, is_contaminated, exit_signal_ids, exit_reasons, final_to_seq, account, category, position_idx, tally FROM prediction_trading_results WHERE ${RESULT}`, seenBy: ['results'] },
  { what: 'a result said to be open', sql: `UPDATE prediction_trading_results SET is_closed = false WHERE ${RESULT}`, seenBy: ['results'] },
  { what: 'a discrepancy hidden', sql: "UPDATE position_discrepancies SET status = 'explained' WHERE cause IN ('fill_missing', 'external_change')", seenBy: ['residuals'] },
];

describe('verify', function () {
  this.timeout(60_000);
  let scratch: Scratch;
  let database: Database;
  let session: StoredSession;

  async function forEachTable(statement: (table: string) => string): Promise<void> {
    for (const { table } of JUDGED) await database.query(statement(table.name));
  }

  async function checksBroken(): Promise<CheckName[]> {
    const { breaches } = await session.verify();
    for (const { witness } of breaches) expect(witness.row).to.be.an('object');
    return CHECK_NAMES.filter((name) => breaches.some(({ check }) => check === name));
  }

  before(async () => {
    scratch = await scratchSchema();
    database = scratch.open();
    session = await storeSession(database, { lines: linesOf(['hidden-trades', 'reversals']) });
    await forEachTable((table) => `CREATE TABLE kept_${table} AS SELECT * FROM ${table}`);
  });

  after(() => scratch.drop());

  for (const { what, sql, seenBy } of TAMPERINGS) {
    it(`sees ${what}`, async () => {
      await database.query(sql);
      try {
        expect(await checksBroken()).to.include.members([...seenBy]);
      } finally {
        await forEachTable((table) => `TRUNCATE ${table}`);
        await forEachTable((table) => `INSERT INTO ${table} SELECT * FROM kept_${table}`);
      }
    });
  }

  it('every check that rows alone can break is broken by some tampering', () => {
    expect(CHECK_NAMES.filter((name) => !TAMPERINGS.some(({ seenBy }) => seenBy.includes(name)))).to.deep.equal(['money_equation']);
  });

  it('looks at one asset alone', async () => {
    const [row] = await database.query<{ asset: string }>("SELECT min(asset) AS asset FROM positions WHERE account = 'reversals'");
    const report = await session.verify(row!.asset);
    expect(report.books).to.be.within(1, 2);
    expect(report.breaches).to.deep.equal([]);
  });

  describe('of the topics', () => {
    let update: PositionUpdate;
    let delta: PredictionDelta;

    const append = <N extends RecordName>(topic: string, type: N, value: RecordTypes[N], timestampMs: number): void => {
      const partition = partitionOf(update.asset, PARTITIONS);
      const key = type === 'Watermark' ? null : Buffer.from(update.asset);
      session.result.log.append([{ topic, partition, timestampMs, key, value: session.result.codec.encode(type, value) }]);
    };
    const decoded = (topic: string): readonly unknown[] => [0, 1, 2].flatMap((partition) => session.result.log.records(topic, partition).map(({ value }) => session.result.codec.decode(value as Uint8Array).value));

    before(() => {
      update = (decoded('ws-gateway.position') as PositionUpdate[]).filter(({ account, size }) => account === 'reversals' && size !== 0n).at(-1)!;
      delta = (decoded('position-linker.prediction_deltas') as PredictionDelta[]).filter((row) => row.kind === 'exit' && row.reverses === null && row.asset === update.asset && row.account === 'reversals').at(-1)!;
    });

    it('leaves out what still waits for its window', async () => {
      append('ws-gateway.position', 'PositionUpdate', { ...update, seq: update.seq! + 1, size: update.size * 2n }, update.envelope_created_at);
      expect(await checksBroken()).to.deep.equal([]);
      expect((await session.verify()).waiting).to.be.greaterThan(0);
    });

    it('sees an update that the links do not follow, once its window has passed', async () => {
      for (const topic of ['ws-gateway.position', 'position-linker.position_orders']) append(topic, 'Watermark', { watermark_at: update.envelope_created_at + 3_600_000 }, update.envelope_created_at + 3_600_000);
      expect(await checksBroken()).to.deep.equal(['size_equation']);
    });

    it('sees money that the exchange does not know, and deltas that their row and cycle do not', async () => {
      append('position-linker.prediction_deltas', 'PredictionDelta', { ...delta, id: '11111111-1111-5111-8111-111111111111', quantity: 0n, value: 0n, fee: 0n, realized_pnl: parseDecimal('0.05') }, delta.known_at);
      expect(await checksBroken()).to.deep.equal(['size_equation', 'cycle_sums', 'money_equation']);
    });

    it('sees a delta issued twice, and one that takes back what never was', async () => {
      const { result } = session;
      const partition = partitionOf(update.asset, PARTITIONS);
      const kept = [...result.log.records('position-linker.prediction_deltas', partition)];
      append('position-linker.prediction_deltas', 'PredictionDelta', delta, delta.known_at);
      append('position-linker.prediction_deltas', 'PredictionDelta', { ...delta, id: '33333333-3333-5333-8333-333333333333', reverses: '44444444-4444-5444-8444-444444444444', quantity: -delta.quantity, value: -delta.value, realized_pnl: -delta.realized_pnl!, fee: -delta.fee }, delta.known_at);
      const { breaches } = await session.verify();
      expect(breaches.filter(({ check }) => check === 'link_deltas').map(({ message }) => message)).to.have.length(2);
      (result.log.records('position-linker.prediction_deltas', partition) as unknown[]).length = kept.length;
    });

    it('sees a delta that belongs to nothing', async () => {
      append('position-linker.prediction_deltas', 'PredictionDelta', { ...delta, id: '22222222-2222-5222-8222-222222222222', kind: 'funding', quantity: 0n, value: 0n, fee: 0n, realized_pnl: 0n, link_id: null, cash_id: 'none' }, delta.known_at);
      expect(await checksBroken()).to.deep.equal(['size_equation', 'cycle_sums', 'money_equation', 'link_deltas']);
    });
  });
});

describe('verify of recorded sessions', function () {
  this.timeout(60_000);
  for (const policy of ['fifo'] as const) {
    it(`all holds of all of them, ${policy}`, async () => {
      const scratch = await scratchSchema();
      try {
        const session = await storeSession(scratch.open(), { lines: linesOf(captureNames()) }, policy);
        const { breaches, books, recordsBehind, made } = await session.verify();
        expect(breaches).to.deep.equal([]);
        expect(books).to.be.greaterThan(35);
        expect(recordsBehind).to.equal(0);
        expect(CHECK_NAMES.filter((name) => made[name] === 0)).to.deep.equal([]);
      } finally {
        await scratch.drop();
      }
    });
  }
});
