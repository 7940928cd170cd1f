import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { ChildProcess } from 'node:child_process';
import { expect } from 'chai';
import postgres from 'postgres';
import { captureNames, readCapture } from '../captures/captures.js';
import { removeNamespace, stackEnvironment, temporaryNamespace } from '../cli/temporary-namespace.js';
import { judge } from '../truth/judge.js';
import type { Policy } from '../truth/lots.js';
import type { Tables } from '../truth/rows.js';
import { accountTables, readTables, run, start, topicDigests, writeAllCaptures } from './pipeline.js';

const OUTPUTS = [
  'order-manager.order_events', 'position-linker.position_orders', 'position-linker.position_cycles', 'position-linker.prediction_deltas',
  'position-linker.discrepancies',
];
const SOURCES = ['ws-gateway.order', 'ws-gateway.execution', 'ws-gateway.position', 'ws-gateway.dead_letters'];
const COMPACTED = ['position-manager.positions', 'position-manager.portfolio'];
/** Columns that tell how a row came about, not what it says. */
const HISTORY = new Set(['revision', 'reason', 'known_at', 'version', 'tally']);

function content(tables: Tables): Record<string, string[]> {
  return Object.fromEntries(Object.entries(tables).map(([name, rows]) => [
    name,
    // What was explained is history: when it was seen missing depends on what else was in the partition.
    (rows as readonly Record<string, unknown>[]).filter((row) => row['status'] !== 'explained').map((row) => JSON.stringify(Object.fromEntries(
      Object.entries(row).filter(([column]) => !HISTORY.has(column)).sort(([a], [b]) => (a < b ? -1 : 1)),
    ))).sort(),
  ]));
}

/** Rows that only one of two sets of tables has, a few of each. */
function rowDifferences(found: Tables, expected: Tables): string[] {
  const a = content(found);
  const b = content(expected);
  return Object.keys(b).flatMap((table) => {
    const inFound = new Set(a[table]);
    const inExpected = new Set(b[table]);
    return [
      ...(a[table] ?? []).filter((row) => !inExpected.has(row)).slice(0, 3).map((row) => `${table}, not expected: ${row}`),
      ...(b[table] ?? []).filter((row) => !inFound.has(row)).slice(0, 3).map((row) => `${table}, missing: ${row}`),
    ];
  });
}

/** How the tables differ from the truth of each session, as far as it can be known. */
function judgeAll(tables: Tables, policy: Policy): string[] {
  return captureNames().flatMap((name) => {
    const { truth, grain } = readCapture(name);
    return judge(accountTables(tables, name), truth, { policy, grain }).map((difference) => `${name}: ${difference}`);
  });
}

describe('recorded sessions through broker, registry and database', function () {
  this.timeout(300_000);
  const folder = mkdtempSync(join(tmpdir(), 'position-linker-'));
  const capture = join(folder, 'all.jsonl');
  const namespaces: string[] = [];
  /** Namespaces by number of partitions, once their session is in. */
  const sessions = new Map<number, string>();
  let straight: Tables;
  let digests: Record<string, string>;

  async function prepared(prefix: string, partitions: number): Promise<string> {
    const namespace = temporaryNamespace(prefix);
    namespaces.push(namespace);
    await run('setup', '--namespace', namespace, '--partitions', String(partitions));
    return namespace;
  }

  before(() => writeAllCaptures(capture));
  after(async () => {
    rmSync(folder, { recursive: true });
    for (const namespace of namespaces) await removeNamespace(stackEnvironment(), namespace);
  });

  it('every leg, cycle and result is true, pro-rata, all roles in one process', async () => {
    const namespace = await prepared('e2e_all', 3);
    await run('ingest', '--namespace', namespace, '--capture', capture);
    await run('run', 'all', '--drain', '--namespace', namespace);
    await run('verify', '--namespace', namespace);
    sessions.set(3, namespace);
    straight = await readTables(namespace);
    digests = await topicDigests(namespace, OUTPUTS, COMPACTED, 3);
    expect(judgeAll(straight, 'pro-rata')).to.deep.equal([]);
  });

  it('every leg, cycle and result is true under fifo, on one partition', async () => {
    const namespace = await prepared('e2e_fifo', 1);
    await run('ingest', '--namespace', namespace, '--capture', capture);
    await run('run', 'all', '--drain', '--policy', 'fifo', '--namespace', namespace);
    await run('verify', '--namespace', namespace);
    await run('rebuild', '--namespace', namespace);
    sessions.set(1, namespace);
    expect(judgeAll(await readTables(namespace), 'fifo')).to.deep.equal([]);
  });

  it('every order, execution, position, signal and asset is explained from tables and topics', async () => {
    const namespace = sessions.get(3) as string;
    const link = straight.position_orders.find((row) => row['exec_id'] !== null && row['signal_id'] !== null && row['relationship_type'] === 'closed') as Record<string, string>;
    const told = JSON.parse(await run('explain', 'order', link['order_id']!, '--json', '--namespace', namespace)) as { stories: { links: { link: { id: string }; inputs: object[]; equation: { size: { holds: boolean } } }[] }[] };
    const story = told.stories[0]!.links.find((one) => one.link.id === link['id'])!;
    expect(story.inputs).to.not.have.length(0);
    expect(story.equation.size.holds).to.equal(true);
    const words = await Promise.all([['exec', link['exec_id']!], ['signal', link['signal_id']!], [link['position_id']!], ['asset', link['asset']!]].map((subject) => run('explain', ...subject, '--namespace', namespace)));
    for (const text of words.slice(0, 3)) expect(text).to.contain(link['id']!);
    expect(words[3]).to.contain(`${link['asset']} (closing quantity`);
  });

  it('a row changed by hand is found, with exit code 3 and the row, and nothing once it is put right', async () => {
    const namespace = sessions.get(3) as string;
    const sql = postgres(stackEnvironment().DATABASE_URL, { max: 1, onnotice: () => undefined });
    const link = straight.position_orders[0]!;
    const change = (by: string): Promise<unknown> => sql.unsafe(`UPDATE "${namespace}".position_orders SET size_delta = size_delta + ${by} WHERE id = '${String(link['id'])}'`);
    try {
      await change('1');
      const child = start(['verify', '--json', '--asset', String(link['asset']), '--namespace', namespace]);
      let out = '';
      child.stdout!.on('data', (chunk: Buffer) => { out += chunk.toString(); });
      const [code] = (await once(child, 'close')) as [number];
      expect(code).to.equal(3);
      const { holds, breaches } = JSON.parse(out) as { holds: boolean; breaches: { check: string; witness: { row: { id?: string } } }[] };
      expect(holds).to.equal(false);
      expect(breaches.find(({ check }) => check === 'rows')!.witness.row.id).to.equal(link['id']);
    } finally {
      await change('-1');
      await sql.end();
    }
    await run('verify', '--asset', String(link['asset']), '--namespace', namespace);
  });

  for (const partitions of [1, 3]) {
    it(`a capture written from the topics gives the same topics again, ${partitions === 1 ? 'one partition' : `${partitions} partitions`}`, async () => {
      const namespace = sessions.get(partitions) as string;
      const file = join(folder, `back-${partitions}.jsonl.gz`);
      await run('capture', '--out', file, '--namespace', namespace);
      const back = await prepared('e2e_back', partitions);
      await run('ingest', '--namespace', back, '--capture', file);
      expect(await topicDigests(back, SOURCES, [], partitions)).to.deep.equal(await topicDigests(namespace, SOURCES, [], partitions));
      if (partitions === 1) return;
      await run('run', 'all', '--drain', '--namespace', back);
      expect(await topicDigests(back, OUTPUTS, COMPACTED, partitions)).to.deep.equal(digests);
      expect(rowDifferences(await readTables(back), straight)).to.deep.equal([]);
    });
  }

  it('the same rows and, byte for byte, the same output records when roles run apart and are killed with -9 again and again', async () => {
    const namespace = await prepared('e2e_kill', 3);
    const roles = ['order-manager', 'position-manager', 'position-linker', 'model-service', 'table-sinks'];
    const launch = (role: string): ChildProcess => start(['run', role, '--namespace', namespace, '--session-timeout-ms', '6000']);
    const running = new Map(roles.map((role) => [role, launch(role)]));
    const playing = run('ingest', '--namespace', namespace, '--capture', capture, '--speed', '4');
    let kills = 0;
    for (const role of ['position-linker', 'order-manager', 'table-sinks', 'position-linker', 'model-service', 'position-manager']) {
      await pause(2_000);
      const victim = running.get(role)!;
      victim.kill('SIGKILL');
      await once(victim, 'close');
      kills += 1;
      running.set(role, launch(role));
    }
    await playing;
    await run('run', 'all', '--drain', '--namespace', namespace, '--session-timeout-ms', '6000');
    // Beside the roles, which still run.
    await run('verify', '--namespace', namespace);
    for (const child of running.values()) {
      const gone = once(child, 'close');
      child.kill('SIGTERM');
      await gone;
    }
    expect(kills).to.equal(6);
    await run('rebuild', '--namespace', namespace);
    expect(rowDifferences(await readTables(namespace), straight)).to.deep.equal([]);
    expect(await topicDigests(namespace, OUTPUTS, COMPACTED, 3)).to.deep.equal(digests);
  });

  it('the same rows on twelve partitions with several instances of each role', async () => {
    const namespace = await prepared('e2e_twelve', 12);
    await run('ingest', '--namespace', namespace, '--capture', capture);
    const others = [start(['run', 'position-linker', 'table-sinks', '--namespace', namespace])];
    await run('run', 'all', '--drain', '--processes', '2', '--namespace', namespace);
    await run('verify', '--namespace', namespace);
    for (const child of others) {
      const gone = once(child, 'close');
      child.kill('SIGTERM');
      await gone;
    }
    await run('rebuild', '--namespace', namespace);
    expect(rowDifferences(await readTables(namespace), straight)).to.deep.equal([]);
  });
});
