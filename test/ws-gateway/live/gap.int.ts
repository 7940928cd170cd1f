import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { removeNamespace, stackEnvironment, temporaryNamespace } from '../../cli/temporary-namespace.js';
import { readTables, run, start } from '../../e2e/pipeline.js';
import { FakeExchange } from '../../fake-exchange/fake-exchange.js';
import { GatewayProcess } from '../../fake-exchange/gateway-process.js';
import { sessionOf } from '../../fake-exchange/session.js';
import { until } from '../../kafka/live.js';
import { scenario } from '../../simulator/scenarios.js';
import { judge } from '../../truth/judge.js';
import type { Tables } from '../../truth/rows.js';

const JOIN_WINDOW_MS = 1_000;
/** Connections are refused so long, and frames go unheard; REST shows nothing for longer than windows and roles take. */
const UNHEARD_MS = 1_500;
const BLIND_MS = 7_000;
/** Evidence of links that say of themselves how little is known. */
const MARKED = ['unattributed', 'fills_only', 'inferred', 'ambiguous'];

/** What a link claims, by its id. */
function claims(tables: Tables): Map<string, { readonly said: string; readonly evidence: string }> {
  return new Map(tables.position_orders.map((row) => [
    String(row['id']),
    { said: ['order_id', 'relationship_type', 'size_before', 'size_after', 'size_delta', 'execution_price'].map((name) => String(row[name])).join(' '), evidence: String(row['evidence']) },
  ]));
}

describe('a gap that is not closed yet', function () {
  this.timeout(120_000);
  const namespace = temporaryNamespace('gap');
  const folder = mkdtempSync(join(tmpdir(), 'gap-'));

  after(async () => {
    rmSync(folder, { recursive: true });
    await removeNamespace(stackEnvironment(), namespace);
  });

  it('lets nothing wrong be shown: what the gap may change waits or is marked, and once it is fetched the tables are true', async () => {
    const seed = Date.now() % 1_000_000;
    await run('setup', '--namespace', namespace, '--partitions', '2');
    const roles = start(['run', 'all', '--namespace', namespace, '--join-window-ms', String(JOIN_WINDOW_MS)]);
    const rolesEnded = new Promise((resolve) => roles.once('close', resolve));
    const startTimeMs = Date.now() + 6_000;
    const session = sessionOf({ ...scenario('active', seed, { orders: 150, meanGapMs: 80 }), startTimeMs });
    const exchange = new FakeExchange({ session, seed });
    await exchange.start();
    const gateway = new GatewayProcess(exchange, [
      'run', 'ws-gateway', '--namespace', namespace, '--spool-dir', folder, '--lookback-ms', '1000', '--settle-ms', '300', '--sweep-interval-ms', '1500', '--join-window-ms', String(JOIN_WINDOW_MS),
    ]);
    try {
      await until('the gateway listens', () => exchange.stream.listeners(0) === 1);
      await pause(startTimeMs + 4_000 - Date.now());
      const lostMs = Date.now();
      exchange.faults.brokenUntilMs = lostMs + BLIND_MS;
      exchange.faults.refuseUntilMs = lostMs + UNHEARD_MS;
      exchange.stream.drop();
      await pause(BLIND_MS - 500);
      expect(gateway.hasGap, 'the gap is still open').to.equal(true);
      expect(exchange.stream.listeners(0), 'frames arrive again').to.equal(1);
      const blind = claims(await readTables(namespace));
      await pause(Math.max(0, session.endMs - Date.now()));
      await until('the gap is closed', () => !gateway.hasGap && exchange.progress.sent === exchange.progress.of);
      await pause(JOIN_WINDOW_MS + 4_000);
      expect(await gateway.stop()).to.equal(0);
      roles.kill('SIGTERM');
      await rolesEnded;
      await run('run', 'all', '--drain', '--join-window-ms', String(JOIN_WINDOW_MS), '--namespace', namespace);
      const tables = await readTables(namespace);
      const final = claims(tables);
      expect(exchange.unheard.length, `frames went unheard, seed ${seed}`).to.be.greaterThan(0);
      expect(judge(tables, session.truth, { policy: 'pro-rata' }), `seed ${seed}`).to.deep.equal([]);
      expect(blind.size, 'links were shown before the gap').to.be.greaterThan(0);
      expect(blind.size, 'and not those that the gap may change').to.be.lessThan(final.size);
      expect([...blind].filter(([, { evidence }]) => evidence === 'unattributed'), `no window passed while the gap was open, seed ${seed}`).to.deep.equal([]);
      const wrong = [...blind].filter(([id, { said, evidence }]) => !MARKED.includes(evidence) && final.get(id)?.said !== said);
      expect(wrong, `seed ${seed}`).to.deep.equal([]);
    } finally {
      roles.kill('SIGKILL');
      if (gateway.isRunning) await gateway.stop('SIGKILL');
      await exchange.stop();
    }
  });
});
