import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { digestText } from '../../src/digests/row-digest.js';
import { openDatabase } from '../../src/postgres/database.js';
import type { Cell } from '../../src/postgres/table.js';
import { stackEnvironment } from '../cli/temporary-namespace.js';
import { addDigests, EMPTY_DIGEST, rowDigest } from '../digests/row-digest.js';
import { replaySession } from '../replay/replay-session.js';
import { scenario } from '../simulator/scenarios.js';
import { simulate } from '../simulator/simulate.js';
import { captureFile, RebuildSession } from './rebuild-session.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('rebuild beside the live tables', function () {
  this.timeout(120_000);
  const sessions: RebuildSession[] = [];
  const session = async (capture: string, partitions: number): Promise<RebuildSession> => {
    const opened = new RebuildSession(capture, partitions);
    sessions.push(opened);
    return opened.start();
  };
  after(() => Promise.all(sessions.map((opened) => opened.end())));

  it('equals the live tables, byte for byte and by the digests of a replay, on one partition', async () => {
    const one = await session('mid-start', 1);
    const report = await one.rebuild(0);
    expect(report).to.include({ equal: true, swapped: false });
    const { tables } = await replaySession({ path: captureFile('mid-start') }, { partitions: 1 });
    for (const { table, rows } of tables) {
      const digest = rows.map((row) => rowDigest(table, row as Cell[])).reduce(addDigests, EMPTY_DIGEST);
      const { live, rebuilt } = one.table(report, table.name);
      expect([live, rebuilt], table.name).to.deep.equal([digestText(digest), digestText(digest)]);
    }
  });

  it('equals live tables whose sinks lagged behind the compaction of positions and portfolio', async () => {
    const one = sessions[0]!;
    // What such a sink stores: a record that went was never seen, so never counted.
    const lagging = await one.database.query(
      "UPDATE sink_offsets SET records_applied = records_applied - 2 WHERE topic LIKE '%position-manager.%' AND records_applied > 2 RETURNING topic",
    );
    expect(lagging.length).to.be.greaterThan(0);
    await one.rebuild(0);
  });

  it('finds rows changed, deleted and added by hand, and the swap mends them while sinks run', async () => {
    const three = await session('late-fills', 3);
    const { database } = three;
    const before = await three.rows();
    await database.query(`UPDATE position_orders SET execution_price = execution_price + 1 WHERE id = (SELECT id FROM position_orders WHERE execution_price IS NOT NULL ORDER BY id LIMIT 1)`);
    await database.query(`DELETE FROM orders WHERE order_id = (SELECT max(order_id) FROM orders)`);
    await database.query(`INSERT INTO prediction_trading_results SELECT r.* FROM prediction_trading_results p, jsonb_populate_record(p, jsonb_build_object('signal_id', 'nobody')) r LIMIT 1`);
    await database.query(`GRANT SELECT ON orders TO PUBLIC`);
    const found = await three.rebuild(3);
    expect(found).to.include({ equal: false, swapped: false });
    const differing = found.tables.filter(({ live, rebuilt }) => live !== rebuilt).map(({ table, changed, missing, added }) => [table, changed, missing, added]);
    expect(differing).to.deep.equal([['orders', 0, 1, 0], ['position_orders', 1, 0, 0], ['prediction_trading_results', 0, 0, 1]]);
    const { execution_price: price } = three.table(found, 'position_orders').differences[0]?.columns ?? {};
    expect(Number(price?.live) - Number(price?.rebuilt)).to.equal(1);
    const sinks = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', 'run', 'table-sinks', 'model-service'], {
      cwd: ROOT, stdio: 'ignore', env: { ...process.env, ...stackEnvironment(), POSITION_LINKER_NAMESPACE: three.namespace, POSITION_LINKER_LOG_LEVEL: 'silent' },
    });
    expect(await three.rebuild(3, '--swap')).to.include({ equal: false, swapped: true });
    expect(await three.rows()).to.equal(before);
    const [grants] = await database.query<{ granted: boolean }>(`SELECT has_table_privilege('public', 'orders', 'SELECT') AS granted`);
    expect(grants?.granted).to.equal(true);
    await three.done('ingest', '--capture', captureFile('clean'));
    await three.done('run', 'all', '--drain');
    const ended = once(sinks, 'close');
    sinks.kill('SIGTERM');
    await ended;
    expect(await three.rebuild(0)).to.include({ equal: true });
    const [views] = await database.query<{ rows: number }>('SELECT count(*) AS rows FROM position_order_summary');
    expect(views?.rows).to.be.above(0);
  });

  it('killed in the middle, it leaves the live tables alone, and a second run goes on with what is missing', async () => {
    const twelve = await session('hedge', 12);
    const { database, namespace } = twelve;
    const before = await twelve.rows();
    const loaded = async (): Promise<number> => {
      const [found] = await database.query<{ exists: boolean }>('SELECT to_regclass($1) IS NOT NULL AS exists', [`${namespace}_rebuild.rebuild_partitions`]);
      if (found?.exists !== true) return 0;
      return (await database.query<{ rows: number }>(`SELECT count(*) AS rows FROM ${namespace}_rebuild.rebuild_partitions`).catch(() => []))[0]?.rows ?? 0;
    };
    const rebuilding = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', 'rebuild', '--threads', '1'], {
      cwd: ROOT, stdio: 'ignore', env: { ...process.env, ...stackEnvironment(), POSITION_LINKER_NAMESPACE: namespace },
    });
    const gone = once(rebuilding, 'close');
    while ((await loaded()) < 2) await pause(5);
    rebuilding.kill('SIGKILL');
    await gone;
    expect(await loaded()).to.be.within(2, 11);
    // The server notices a moment later that the holder of the lock is gone.
    await expectLater(async () => (await database.query(`SELECT 1 FROM pg_stat_activity WHERE application_name = 'position-linker rebuild' AND state <> 'idle' AND query LIKE '%${namespace}%'`)).length === 0);
    const report = await twelve.rebuild(0);
    expect(report.resumed).to.be.within(2, 11);
    expect(await twelve.rows()).to.equal(before);
  });

  it('fails when the database ends its connections, and the next run finds the tables as they were', async () => {
    const [one] = sessions as [RebuildSession];
    const before = await one.rows();
    const admin = openDatabase({ databaseUrl: stackEnvironment().DATABASE_URL, schema: 'public' });
    let rebuilding: ReturnType<typeof one.command> | null = null;
    // It cannot be done before its connections are ended: it has to read a table that is locked.
    await admin.transaction(async (lock) => {
      await lock.query(`LOCK TABLE ${one.namespace}.orders IN ACCESS EXCLUSIVE MODE`);
      rebuilding = one.command('rebuild');
      await expectLater(async () => {
        const ended = await admin.query(`SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
          WHERE a.application_name = 'position-linker rebuild' AND NOT l.granted AND l.relation = '${one.namespace}.orders'::regclass`);
        return ended.length > 0;
      });
    });
    await admin.close();
    const { code, stderr } = await rebuilding!;
    expect(code, stderr).to.equal(1);
    await one.rebuild(0);
    expect(await one.rows()).to.equal(before);
  });

  it('tells what another policy, or a stretch of the log, would make of it, and never swaps that', async () => {
    const [one, three] = sessions as [RebuildSession, RebuildSession];
    const before = await three.rows();
    const imagined = await three.command('rebuild', '--policy', 'fifo');
    expect(imagined.stdout).to.match(/^what if: policy fifo instead of pro-rata\nnothing of this is stored/);
    expect(imagined.code, imagined.stderr).to.be.oneOf([0, 3]);
    expect((await three.command('rebuild', '--without-external')).stdout).to.match(/^what if: /);
    await one.rebuild(0, '--no-horizon');
    await one.rebuild(0, '--from', '30');
    for (const words of [['--policy', 'fifo'], ['--without-signal', 'x'], ['--no-horizon'], ['--asset', 'BTCUSDT'], ['--from', '5']]) {
      const { code, stderr } = await three.command('rebuild', '--swap', ...words);
      expect(stderr, words.join(' ')).to.contain('--swap replaces whole tables');
      expect(code).to.not.be.oneOf([0, 3]);
    }
    expect(await three.rows()).to.equal(before);
  });
});

describe('rebuild of what came later than the correction horizon', function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), 'late-'));
  let late: RebuildSession;
  after(async () => {
    await late.end();
    rmSync(folder, { recursive: true });
  });

  it('equals the live tables, and with --no-horizon tells what that evidence would have changed', async () => {
    const path = join(folder, 'late.jsonl');
    const { lines } = simulate(scenario('active', 3, { orders: 80, assets: 1 }));
    const parsed = lines.map((line) => JSON.parse(line) as { receivedAt: number; frame: { topic: string } });
    const first = parsed.findIndex(({ frame }) => frame.topic === 'execution');
    // The first execution comes after everything else: its order has told of it long before.
    const moved = { ...parsed[first]!, receivedAt: parsed.at(-1)!.receivedAt + 60_000 };
    writeFileSync(path, [...parsed.slice(0, first), ...parsed.slice(first + 1), moved].map((line) => `${JSON.stringify(line)}\n`).join(''));
    late = await new RebuildSession(path, 1).start('--horizon-events', '10');
    const [row] = await late.database.query<{ count: number }>(`SELECT count(*)::int AS count FROM position_discrepancies WHERE cause = 'late_beyond_horizon'`);
    expect(row?.count).to.be.greaterThan(0);
    expect(await late.rebuild(0)).to.include({ equal: true });
    const report = await late.rebuild(3, '--no-horizon');
    expect(report).to.include({ equal: false, swapped: false });
    const { changed, missing, added } = late.table(report, 'position_orders');
    expect(changed + missing + added).to.be.greaterThan(0);
    expect(late.table(report, 'position_discrepancies').added, 'discrepancies that only the live tables have').to.be.greaterThan(0);
  });
});

describe('digests of books in topic and table', function () {
  this.timeout(120_000);
  const [here, there] = [new RebuildSession('shared-signals', 1), new RebuildSession('shared-signals', 4)];
  after(async () => {
    await here.end();
    await there.end();
  });

  it('are equal in two deployments, and differ once a row does', async () => {
    for (const one of [here, there]) {
      await one.start();
      await one.done('run', 'book-digests', 'book-digests-table', '--drain');
    }
    expect((await here.command('digests', 'compare', there.namespace)).stdout).to.match(/^[1-9]\d* hours of books are equal\nequal\n$/);
    await there.database.query(`UPDATE book_digests SET digest = '${'0'.repeat(32)}' WHERE asset = (SELECT min(asset) FROM book_digests)`);
    const compared = await here.command('digests', 'compare', there.namespace);
    expect(compared.code, compared.stderr).to.equal(3);
    expect(compared.stdout).to.match(/^different: book \S+, hour 2026-01-01T00:00:00.000Z: /);
  });
});

async function expectLater(condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; !(await condition()); attempt++) {
    if (attempt > 2_000) throw new Error('waited in vain');
    await pause(5);
  }
}
