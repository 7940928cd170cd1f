import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { topologies } from '../../src/cli/role-table.js';
import { DEFAULT_SIGNAL_PATTERN } from '../../src/domain/signal.js';
import { copyLine } from '../../src/postgres/copy-text.js';
import type { Cell, Table } from '../../src/postgres/table.js';
import { runPartition } from '../../src/rebuild/partition-run.js';
import type { SourceRange } from '../../src/rebuild/source-feed.js';
import { cutKey, TablesBuild } from '../../src/rebuild/tables-build.js';
import type { ReplayResult } from '../../src/replay/replay.js';
import type { Processor, Topology } from '../../src/runtime/processor.js';
import { SOURCE_TOPICS } from '../../src/ws-gateway/gateway.js';
import { replaySession } from '../replay/replay-session.js';

const PARTITIONS = 2;
/** How the id of one fill of the session begins. */
const BROKEN_FILL = '0a0fd34d';
const ROLES = topologies({ policy: 'pro-rata', joinWindowMs: 5_000, horizonMs: 86_400_000, horizonEvents: 5_000, signalPattern: DEFAULT_SIGNAL_PATTERN });

function capture(name: string): { readonly path: string } {
  return { path: fileURLToPath(new URL(`../captures/${name}/frames.jsonl.gz`, import.meta.url)) };
}

function ranges({ log }: ReplayResult, partition: number): SourceRange[] {
  return SOURCE_TOPICS.map((topic) => ({ topic, logTopic: topic, partition, from: 0, until: log.end(topic, partition), untilMs: null }));
}

/** Rows of all partitions, in the text of COPY, without the model-service's own memory. */
async function rebuilt(result: ReplayResult, roles: readonly Topology[] = ROLES, cuts: ReadonlyMap<string, number> | null = null): Promise<Record<string, string[]>> {
  const rows: Record<string, string[]> = {};
  for (let partition = 0; partition < PARTITIONS; partition++) {
    let tables = new TablesBuild(cuts);
    await runPartition({
      log: result.log, codec: result.codec, topologies: roles, partition, ranges: ranges(result, partition),
      begin: () => {
        const build = new TablesBuild(cuts);
        tables = build;
        return { onOutput: (topic, type, value) => build.take(topic, type, value) };
      },
    });
    for (const { table, lines } of tables.tables()) (rows[table.name] ??= []).push(...[...lines].map((line) => withoutTally(table, Buffer.from(line).toString('utf8'))));
  }
  for (const name of Object.keys(rows)) rows[name]?.sort();
  return rows;
}

function withoutTally(table: Table<never>, line: string): string {
  return table.columns.at(-1)?.name === 'tally' ? line.slice(0, line.lastIndexOf('\t')) : line.trimEnd();
}

function replayed({ tables }: ReplayResult): Record<string, string[]> {
  return Object.fromEntries(tables.map(({ table, rows }) => [table.name, rows.map((row) => withoutTally(table, copyLine(table, row as Cell[]))).sort()]));
}

describe('tables rebuilt without bytes between the roles', () => {
  for (const name of ['late-fills', 'odd-rows']) {
    it(`are, to the byte, those of the pipeline through bytes, in the session ${name}`, async () => {
      const result = await replaySession(capture(name), { partitions: PARTITIONS, isLogKept: true });
      const { prediction_cycles: _memory, ...rows } = await rebuilt(result);
      expect(rows).to.deep.equal(replayed(result));
      expect(rows['position_orders']).to.have.length.above(50);
    });
  }

  it('leave out records that break a role, and only those', async () => {
    const roles = ROLES.map((role): Topology => (role.role !== 'position-linker' ? role : { ...role, createProcessor: () => fragile(role.createProcessor()) }));
    const result = await replaySession(capture('clean'), { partitions: PARTITIONS, isLogKept: true, topologies: roles });
    const { prediction_cycles: _memory, ...rows } = await rebuilt(result, roles);
    expect(rows).to.deep.equal(replayed(result));
    expect(result.deadLetters['order-manager.order_events']).to.equal(1);
  });

  it('end after as many records as the live tables took in', async () => {
    const result = await replaySession(capture('mid-start'), { partitions: PARTITIONS, isLogKept: true });
    const cuts = new Map([[cutKey('position_orders', 'position-linker.position_orders'), 7], [cutKey('orders', 'order-manager.order_events'), 3]]);
    const rows = await rebuilt(result, ROLES, cuts);
    const partitions = new Set((await rebuilt(result))['position_orders']?.map((line) => line.split('\t')[7])).size > 1 ? PARTITIONS : 1;
    expect(rows['position_orders']).to.have.length(7 * partitions);
    expect(rows['orders']).to.have.length.within(1, 3 * partitions);
    expect(rows['position_cycles']).to.deep.equal([]);
    expect(rows['prediction_trading_results']).to.deep.equal([]);
  });
});

/** A linker that cannot bear one of the session's fills. */
function fragile(linker: Processor): Processor {
  return {
    process: (record, emitter) => {
      if (record.type === 'Fill' && record.value.fill_id.startsWith(BROKEN_FILL)) throw new Error('broken on purpose');
      linker.process(record, emitter);
    },
    advance: (watermarkMs, emitter) => linker.advance(watermarkMs, emitter),
    takeChanges: () => linker.takeChanges(),
    restore: (key, value) => linker.restore(key, value),
    finishRestore: () => linker.finishRestore(),
  };
}
