import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { KafkaLog } from '../../src/kafka/kafka-log.js';
import { runCommand } from './command-run.js';
import { removeNamespace, stackEnvironment, temporaryNamespace } from './temporary-namespace.js';

interface Listed {
  readonly record: string;
  readonly stage: string;
  readonly exception: string;
  readonly key: string | null;
  readonly state: string;
  readonly copies: number;
  readonly replay_of: string | null;
}

const CAPTURE = fileURLToPath(new URL('../captures/clean/frames.jsonl.gz', import.meta.url));
/** Bytes that are no record of ours: a schema nobody registered. */
const UNKNOWN = Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3]);

const command = (...words: readonly string[]): ReturnType<typeof runCommand> => runCommand(words, { ...process.env, POSITION_LINKER_LOG_LEVEL: 'error' });

async function run(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await command(...words);
  expect(code, `${words.join(' ')}: ${stderr}`).to.equal(0);
  return stdout;
}

describe('dlq on real servers', () => {
  const namespace = temporaryNamespace('dlq');
  const stack = stackEnvironment();
  const log = new KafkaLog({ brokers: stack.KAFKA_BROKERS.split(','), clientId: 'dlq-test' });
  const list = async (...filters: string[]): Promise<Listed[]> => JSON.parse(await run('dlq', 'list', '--json', '--namespace', namespace, ...filters)) as Listed[];
  const source = `${namespace}.ws-gateway.order`;

  before(async () => {
    await run('setup', '--namespace', namespace, '--partitions', '2');
    const writer = log.sourceWriter();
    await writer.send([
      { topic: source, partition: 1, timestampMs: 1_767_225_600_000, key: Buffer.from('BTCUSDT'), value: UNKNOWN },
      { topic: source, partition: 1, timestampMs: 1_767_225_600_001, key: Buffer.from('ETHUSDT'), value: null },
    ]);
    await writer.close();
    await run('ingest', '--namespace', namespace, '--capture', CAPTURE);
  });
  after(async () => {
    await log.close();
    await removeNamespace(stack, namespace);
  });

  it('lists, shows and replays what a role could not use, once', async () => {
    await run('run', 'order-manager', '--drain', '--namespace', namespace);
    expect(await list()).to.have.length(2);
    const [bytes] = await list('--asset', 'BTCUSDT', '--topic', 'ws-gateway.order', '--stage', 'decode');
    expect(bytes).to.deep.include({ record: 'ws-gateway.order/1/0', key: 'BTCUSDT', state: 'open', copies: 1, replay_of: null });
    const shown = JSON.parse(await run('dlq', 'show', 'ws-gateway.order/1/0', '--json', '--namespace', namespace)) as Record<string, string>;
    expect(shown['value_base64']).to.equal(UNKNOWN.toString('base64'));
    expect(shown['unreadable']).to.match(/schema/);

    const planned = await run('dlq', 'replay', '--dry-run', '--asset', 'BTCUSDT', '--namespace', namespace);
    expect(planned).to.contain('would replay ws-gateway.order/1/0').and.contain('nothing was written');
    expect((await list()).every(({ state }) => state === 'open')).to.equal(true);

    expect(await run('dlq', 'replay', '--asset', 'BTCUSDT', '--namespace', namespace)).to.contain('1 replayed; 0 left');
    expect(await run('dlq', 'replay', '--asset', 'BTCUSDT', '--namespace', namespace)).to.contain('0 replayed; 1 left, 1 of them replayed before');
    const values: string[] = [];
    for await (const { records } of log.readRange({ topic: source, partition: 1, from: 'earliest', until: 'lastStable' })) {
      values.push(...records.filter(({ value }) => value !== null && Buffer.from(value).equals(UNKNOWN)).map(({ headers }) => Buffer.from(headers[0]?.[1] ?? []).toString()));
    }
    expect(values).to.deep.equal(['', 'ws-gateway.order/1/0']);

    // Only a watermark behind it lets a record be taken.
    await run('ingest', '--namespace', namespace, '--capture', CAPTURE);
    await run('run', 'order-manager', '--drain', '--namespace', namespace);
    const after = await list('--key', 'BTCUSDT');
    expect(after.map(({ state, replay_of }) => ({ state, replay_of }))).to.have.deep.members([{ state: 'replayed', replay_of: null }, { state: 'open', replay_of: 'ws-gateway.order/1/0' }]);
  });

  it('says with exit codes that there is no such record', async () => {
    const { code, stderr } = await command('dlq', 'show', 'ws-gateway.order/1/999', '--namespace', namespace);
    expect([code, stderr]).to.deep.equal([1, 'position-linker: there is no dead letter of ws-gateway.order/1/999\n  next: run `position-linker dlq list` with the same namespace\n']);
  });
});
