import { closeSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { KafkaCluster } from '../kafka/kafka-cluster.js';
import { runCommand, type CommandRun } from './command-run.js';
import { removeNamespace, stackEnvironment, temporaryNamespace } from './temporary-namespace.js';

const CAPTURE = fileURLToPath(new URL('../captures/clean/frames.jsonl.gz', import.meta.url));
/** Behind the header of a batch, which is 61 bytes: among its records. */
const PLACE = 200;

describe('run over a log with a broken byte', function () {
  this.timeout(120_000);
  const namespace = temporaryNamespace('broken');
  const dir = mkdtempSync(join(tmpdir(), 'broken-'));
  let kafka: KafkaCluster;

  before(async () => {
    kafka = await KafkaCluster.start({ dir, count: 1 });
  });
  after(async () => {
    await removeNamespace({ ...stackEnvironment(), KAFKA_BROKERS: kafka.direct.join() }, namespace);
    await kafka.close();
    rmSync(dir, { recursive: true });
  });

  it('ends with 6, names the place, and writes nothing from there on', async () => {
    const command = (...words: string[]): Promise<CommandRun> =>
      runCommand([...words, '--namespace', namespace], { ...process.env, ...stackEnvironment(), KAFKA_BROKERS: kafka.direct.join(), POSITION_LINKER_LOG_LEVEL: 'silent' });
    expect((await command('setup', '--partitions', '1')).code).to.equal(0);
    expect((await command('ingest', '--capture', CAPTURE)).code).to.equal(0);
    const segment = readdirSync(dir, { recursive: true, encoding: 'utf8' }).find((path) => path.includes(`${namespace}.ws-gateway.order-0`) && path.endsWith('.log'));
    const file = openSync(join(dir, segment!), 'r+');
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, PLACE);
    writeSync(file, Buffer.from([byte[0]! ^ 1]), 0, 1, PLACE);
    closeSync(file);
    const { code, stderr } = await command('run', 'order-manager');
    expect(code, stderr).to.equal(6);
    expect(stderr).to.contain(`${namespace}.ws-gateway.order`).and.contain('checksum');
  });
});
