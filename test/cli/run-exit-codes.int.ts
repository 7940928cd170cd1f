import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Kafka, logLevel } from 'kafkajs';
import { until } from '../kafka/live.js';
import { runCommand, type CommandRun } from './command-run.js';
import { removeNamespace, stackEnvironment, temporaryNamespace, topicAdmin } from './temporary-namespace.js';

const CAPTURE = fileURLToPath(new URL('../captures/clean/frames.jsonl.gz', import.meta.url));

describe('run, how it ends', function () {
  this.timeout(120_000);
  const namespace = temporaryNamespace('ends');
  const stack = stackEnvironment();
  const group = `${namespace}.order-manager`;
  const kafka = new Kafka({ brokers: stack.KAFKA_BROKERS.split(','), logLevel: logLevel.NOTHING }).admin();
  const command = (words: readonly string[], signal?: AbortSignal): Promise<CommandRun> =>
    runCommand([...words, '--namespace', namespace], { ...process.env, POSITION_LINKER_LOG_LEVEL: 'silent', POSITION_LINKER_SESSION_TIMEOUT_MS: '30000' }, signal);

  before(async () => {
    await kafka.connect();
    expect((await command(['setup', '--partitions', '2'])).code).to.equal(0);
    expect((await command(['ingest', '--capture', CAPTURE])).code).to.equal(0);
  });
  after(async () => {
    await kafka.disconnect();
    await removeNamespace(stack, namespace);
  });

  it('asked to, commits what it took, leaves the group at once, and ends with 0', async () => {
    const stopping = new AbortController();
    // The first commit comes at once, the next would only come after a minute: what lies between is committed by the stop.
    const ended = command(['run', 'order-manager', '--commit-interval-ms', '60000'], stopping.signal);
    const offsets = async (): Promise<string[]> => (await kafka.fetchOffsets({ groupId: group, topics: [`${namespace}.ws-gateway.order`] })).flatMap(({ partitions }) => partitions.map(({ offset }) => offset));
    await until('a first commit', async () => (await offsets()).some((offset) => Number(offset) > 0));
    stopping.abort();
    expect(await ended).to.deep.include({ code: 0, stderr: '' });
    const [described] = (await kafka.describeGroups([group])).groups;
    expect(described?.members).to.deep.equal([]);
    const drained = await command(['run', 'order-manager', '--drain']);
    expect(drained).to.deep.include({ code: 0, stdout: 'drained: everything released is in place; 0 records wait for a watermark\n' });
  });

  it('goes on where its state stands, if the group shows older offsets', async () => {
    const topic = `${namespace}.ws-gateway.order`;
    const [before] = await kafka.fetchOffsets({ groupId: group, topics: [topic] });
    await kafka.setOffsets({ groupId: group, topic, partitions: [0, 1].map((partition) => ({ partition, offset: '1' })) });
    expect((await command(['run', 'order-manager', '--drain'])).code).to.equal(0);
    expect((await kafka.fetchOffsets({ groupId: group, topics: [topic] }))[0]!.partitions).to.deep.equal(before!.partitions);
  });

  it('with 5 where its position is past its state\'s, and says what to do', async () => {
    const topic = `${namespace}.ws-gateway.order`;
    const [before] = await kafka.fetchOffsets({ groupId: group, topics: [topic] });
    await kafka.setOffsets({ groupId: group, topic, partitions: [0, 1].map((partition) => ({ partition, offset: '1000000' })) });
    const { code, stderr } = await command(['run', 'order-manager']);
    expect(code).to.equal(5);
    expect(stderr).to.match(/somebody moved the offsets; set them back/);
    await kafka.setOffsets({ groupId: group, topic, partitions: before!.partitions.map(({ partition, offset }) => ({ partition, offset })) });
  });

  it('with 7 where the broker refuses a record, and names it', async () => {
    const admin = topicAdmin(stack);
    await admin.mergeConfigs(`${namespace}.position-manager.positions`, { 'max.message.bytes': '100' });
    await admin.close();
    const { code, stderr } = await command(['run', 'position-manager']);
    expect(code).to.equal(7);
    expect(stderr).to.contain('position-manager').and.match(/MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE/);
  });

  it('with 4 where the settings are not those of the state, naming both', async () => {
    const { code, stderr } = await command(['run', 'order-manager', '--join-window-ms', '7000']);
    expect(code).to.equal(4);
    expect(stderr).to.match(/joinWindowMs is 5000 in the state and 7000 in this start/);
  });
});
