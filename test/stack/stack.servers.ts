import { expect } from 'chai';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import postgres from 'postgres';
import { clearNamespace } from '../../src/stack/clear-namespace.js';
import { embeddedKafka } from '../../src/stack/embedded-kafka.js';
import { embeddedPostgres } from '../../src/stack/embedded-postgres.js';
import { embeddedRegistry } from '../../src/stack/embedded-registry.js';
import { packageRoot, stackDir, stackPaths } from '../../src/stack/paths.js';
import { findByArgument, pause } from '../../src/stack/process-table.js';
import type { StackAddresses } from '../../src/stack/stack-addresses.js';
import { stackDown, stackEnv, stackStatus, stackUp, type StackOptions } from '../../src/stack/stack.js';

/** A stack of this file's own, beside the one the other tests use: it is killed, stopped and started here. */
describe('embedded stack', function () {
  this.timeout(240_000);

  // A folder with a name, so that whoever interrupts this test can find and stop what it left (scripts/test does). Closed to
  // others: where this runs as root, the database's user cannot enter it, and the cluster has to lie elsewhere.
  const dir = `${stackDir(process.env)}-lifecycle`;
  const paths = stackPaths(dir);
  const downloads = process.env['POSITION_LINKER_DOWNLOADS_DIR'] ?? join(packageRoot, '.stack', 'downloads');
  const env: NodeJS.ProcessEnv = { ...process.env, POSITION_LINKER_STACK_DIR: dir, POSITION_LINKER_DOWNLOADS_DIR: downloads };
  for (const name of ['KAFKA_BROKERS', 'SCHEMA_REGISTRY_URL', 'DATABASE_URL']) delete env[name];
  const lines: string[] = [];
  const options: StackOptions = { env, embeddedOnly: true, say: (line) => lines.push(line) };
  let first: StackAddresses;

  before(async () => {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    await stackDown({ ...options, volumes: true });
    first = await stackUp(options);
  });
  after(async () => {
    await stackDown({ ...options, volumes: true });
    rmSync(dir, { recursive: true, force: true });
  });

  const processes = (): number[] => [embeddedKafka, embeddedRegistry, embeddedPostgres].flatMap((piece) => findByArgument(...piece.markers(paths)));
  const kafkaPid = (addresses: StackAddresses): number => addresses.pieces.find((piece) => piece.name === 'kafka')?.pid ?? 0;

  const withAdmin = async <T>(work: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> => {
    const admin = new Kafka({ brokers: [...first.kafkaBrokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    return work(admin).finally(() => admin.disconnect());
  };
  const registerSchema = async (name: string, record = name): Promise<number> => {
    const schema = JSON.stringify({ type: 'record', name: record, fields: [{ name: 'x', type: 'int' }] });
    const response = await fetch(`${first.schemaRegistryUrl}/subjects/${name}-value/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({ schema }),
    });
    return ((await response.json()) as { id: number }).id;
  };
  const query = async (text: string): Promise<readonly Record<string, unknown>[]> => {
    const sql = postgres(first.databaseUrl, { max: 1 });
    return sql.unsafe(text).finally(() => sql.end());
  };

  it('leaves nothing of a namespace that is cleared, and everything of the others', async () => {
    const { brokers, registryUrl, databaseUrl } = { brokers: first.kafkaBrokers, registryUrl: first.schemaRegistryUrl, databaseUrl: first.databaseUrl };
    const names = ['here.fills', 'here2.fills'];
    await withAdmin((admin) => admin.createTopics({ topics: names.map((topic) => ({ topic, numPartitions: 1 })) }));
    await withAdmin((admin) => Promise.all(names.map((name) => admin.setOffsets({ groupId: name, topic: name, partitions: [{ partition: 0, offset: '0' }] }))));
    for (const name of names) await registerSchema(name, 'Fill');
    await query('create schema here; create table here.t (); create schema here2');

    expect(await clearNamespace('here', { brokers, registryUrl, databaseUrl })).to.deep.equal({ topics: 1, groups: 1, subjects: 1, schemaDropped: true });
    expect(await withAdmin((admin) => admin.listTopics())).to.include('here2.fills').and.not.include('here.fills');
    expect((await withAdmin((admin) => admin.listGroups())).groups.map((group) => group.groupId)).to.include('here2.fills').and.not.include('here.fills');
    const subjects = (await (await fetch(`${registryUrl}/subjects`)).json()) as string[];
    expect(subjects).to.include('here2.fills-value').and.not.include('here.fills-value');
    expect(await query("select nspname from pg_namespace where nspname like 'here%'")).to.deep.equal([{ nspname: 'here2' }]);

    expect(await clearNamespace('here', { brokers, registryUrl, databaseUrl })).to.deep.equal({ topics: 0, groups: 0, subjects: 0, schemaDropped: false });
  });

  it('is three healthy processes of this machine', async () => {
    expect(first.pieces.map((piece) => [piece.name, piece.source])).to.deep.equal([
      ['kafka', 'embedded'],
      ['registry', 'embedded'],
      ['postgres', 'embedded'],
    ]);
    expect((await stackStatus(options)).map((piece) => piece.ailment)).to.deep.equal([null, null, null]);
    expect(processes().sort()).to.deep.equal(first.pieces.map((piece) => piece.pid).sort());
  });

  it('is found by a second start, quickly and at the same addresses', async () => {
    const began = Date.now();
    expect(await stackUp(options)).to.deep.equal(first);
    expect(Date.now() - began).to.be.lessThan(5_000);
    expect(await stackEnv(options)).to.deep.equal(first);
  });

  it('survives two starts at once', async () => {
    expect(await Promise.all([stackUp(options), stackUp(options)])).to.deep.equal([first, first]);
  });

  it('keeps clocks in UTC and takes records of any time', async () => {
    expect(await query('show timezone')).to.deep.equal([{ TimeZone: 'UTC' }]);
    await withAdmin((admin) => admin.createTopics({ topics: [{ topic: 'old-and-new', numPartitions: 1 }] }));
    const producer = new Kafka({ brokers: [...first.kafkaBrokers], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    const inTheYear2100 = String(Date.UTC(2100, 0, 1));
    await producer.send({ topic: 'old-and-new', messages: ['1000', inTheYear2100].map((timestamp) => ({ value: 'x', timestamp })) });
    await producer.disconnect();
    const [offset] = await withAdmin((admin) => admin.fetchTopicOffsets('old-and-new'));
    expect(offset?.high).to.equal('2');
  });

  it('sees a killed Kafka, and brings it back at the same address with its data', async () => {
    const pid = kafkaPid(first);
    process.kill(pid, 'SIGKILL');
    while (findByArgument(...embeddedKafka.markers(paths)).length > 0) await pause(20);
    const status = await stackStatus(options);
    expect(status.filter((piece) => piece.ailment !== null).map((piece) => piece.name)).to.deep.equal(['kafka']);
    const failure = await stackEnv(options).then(() => null, (error: Error) => error.message);
    expect(failure).to.contain('kafka does not answer');

    const again = await stackUp(options);
    expect(again.kafkaBrokers).to.deep.equal(first.kafkaBrokers);
    expect(kafkaPid(again)).to.not.equal(pid);
    expect(await withAdmin((admin) => admin.listTopics())).to.contain('old-and-new');
    expect(again.pieces.slice(1)).to.deep.equal(first.pieces.slice(1));
  });

  it('replaces a Kafka that runs but does not answer', async () => {
    const [pid] = findByArgument(...embeddedKafka.markers(paths));
    process.kill(pid ?? 0, 'SIGSTOP');
    lines.length = 0;
    const again = await stackUp(options);
    expect(kafkaPid(again)).to.not.equal(pid);
    expect(lines.join('\n')).to.contain(`ended a leftover that did not answer (pid ${pid})`);
    expect(processes()).to.have.length(3);
  });

  it('gives the same schema ids, rows and topics after a stop and a start, and leaves no process between', async () => {
    const ids = [await registerSchema('A'), await registerSchema('B')];
    await query('create table kept (n int); insert into kept values (7)');
    const down = await stackDown(options);
    expect(down.ended).to.have.length(3);
    expect(processes()).to.deep.equal([]);

    first = await stackUp(options);
    expect([await registerSchema('A'), await registerSchema('B')]).to.deep.equal(ids);
    expect(ids).to.not.include(await registerSchema('C'));
    expect(await query('select n from kept')).to.deep.equal([{ n: 7 }]);
    expect(await withAdmin((admin) => admin.listTopics())).to.contain('old-and-new');
  });

  it('stops what it started when it is interrupted', async () => {
    await stackDown(options);
    const abort = new AbortController();
    const say = (line: string): void => {
      if (line === 'kafka: starting') setTimeout(() => abort.abort(new Error('interrupted')), 300);
    };
    const outcome = await stackUp({ ...options, say, signal: abort.signal }).then(() => 'up', (error: Error) => error.message);
    expect(outcome).to.equal('interrupted');
    expect(processes()).to.deep.equal([]);
    first = await stackUp(options);
  });

  it('finds its servers even where its folder was removed by hand', async () => {
    rmSync(dir, { recursive: true, force: true });
    expect(processes()).to.not.be.empty;
    await stackDown(options);
    expect(processes()).to.deep.equal([]);
    first = await stackUp(options);
  });

  it('moves to another port where its own was taken meanwhile', async () => {
    const { createServer } = await import('node:net');
    await stackDown(options);
    const port = Number(new URL(first.schemaRegistryUrl).port);
    const squatter = createServer().listen(port, '127.0.0.1');
    try {
      const again = await stackUp(options);
      expect(again.schemaRegistryUrl).to.not.equal(first.schemaRegistryUrl);
      expect(again.kafkaBrokers).to.deep.equal(first.kafkaBrokers);
    } finally {
      squatter.close();
    }
  });
});
