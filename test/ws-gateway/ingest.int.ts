import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { RecordCodec } from '../../src/avro/record-codec.js';
import { readRecordSchemas } from '../../src/avro/record-schema.js';
import { COMMAND_GROUPS } from '../../src/cli/command-groups.js';
import { runCommandLine } from '../../src/cli/run-command-line.js';
import { TopicAdmin } from '../../src/kafka/admin.js';
import { KafkaLog } from '../../src/kafka/kafka-log.js';
import { partitionOf } from '../../src/kafka/partitioner.js';
import type { LogRecord } from '../../src/kafka/record.js';
import { MemoryLog } from '../../src/runtime/memory-log.js';
import { recordSubjects } from '../../src/schema-registry/record-subjects.js';
import { RegistryClient } from '../../src/schema-registry/registry-client.js';
import { RegistrySchemas } from '../../src/schema-registry/registry-schemas.js';
import { declaredTopics } from '../../src/topic-apply/declared-topics.js';
import { readCapture } from '../../src/ws-gateway/capture-reader.js';
import { DEAD_LETTER_TOPIC, SOURCE_TOPICS } from '../../src/ws-gateway/gateway.js';
import { LogWriter } from '../../src/ws-gateway/log-writer.js';
import { runGateway } from '../../src/ws-gateway/run-gateway.js';

const PARTITIONS = 3;
const CAPTURE = fileURLToPath(new URL('../captures/partials/frames.jsonl.gz', import.meta.url));

describe('ingest on a real stack', () => {
  const namespace = `it_${randomUUID().slice(0, 8)}`;
  const brokers = (process.env['KAFKA_BROKERS'] ?? '').split(',');
  let log: KafkaLog;
  let folder: string;

  async function command(...argv: readonly string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
    let stdout = '';
    let stderr = '';
    const code = await runCommandLine(COMMAND_GROUPS, [...argv, '--namespace', namespace], {
      stdout: (text) => (stdout += text),
      stderr: (text) => (stderr += text),
      signal: new AbortController().signal,
      env: process.env,
    });
    return { code, stdout, stderr };
  }

  async function recordsOf(topic: string, partition: number): Promise<LogRecord[]> {
    const records: LogRecord[] = [];
    for await (const chunk of log.readRange({ topic: `${namespace}.${topic}`, partition, from: 'earliest', until: 'lastStable' })) records.push(...chunk.records);
    return records;
  }

  const bare = (records: readonly LogRecord[]) =>
    records.map(({ timestampMs, key, value }) => [timestampMs, key === null ? null : Buffer.from(key).toString(), Buffer.from(value ?? []).toString('hex')]);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ingest-'));
    log = new KafkaLog({ brokers, clientId: 'test' });
    for (const argv of [['topics', 'apply', '--partitions', String(PARTITIONS)], ['schemas', 'register']]) {
      const { code, stderr } = await command(...argv);
      expect(code, stderr).to.equal(0);
    }
  });

  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await log.close();
    const admin = new TopicAdmin({ brokers, clientId: 'test' });
    await admin.delete(declaredTopics().map((topic) => `${namespace}.${topic.name}`));
    await admin.close();
  });

  it('writes to the broker what it writes in memory, byte for byte', async () => {
    const { code, stdout, stderr } = await command('ingest', '--capture', CAPTURE, '--json');
    expect(code, stderr).to.equal(0);
    expect(JSON.parse(stdout)).to.deep.include({ frames: 321, deadLetters: 0, interrupted: false });

    const schemas = readRecordSchemas();
    const registry = new RegistrySchemas(new RegistryClient(process.env['SCHEMA_REGISTRY_URL'] ?? ''), recordSubjects(namespace, declaredTopics(), schemas));
    const codec = await RecordCodec.open(registry, schemas);
    const memory = new MemoryLog({ defaultPartitions: PARTITIONS });
    await runGateway(readCapture(CAPTURE), new LogWriter({ appender: memory.sourceWriter(), encode: (type, value) => codec.encode(type, value), nameOf: (topic) => topic }), {
      account: null,
      partitions: PARTITIONS,
      partitionOf: (asset) => partitionOf(asset, PARTITIONS),
      skewAllowanceMs: 500,
      joinWindowMs: 5_000,
      speed: 'max',
      continues: false,
    });
    for (const topic of SOURCE_TOPICS) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const written = bare(await recordsOf(topic, partition));
        expect(written.length, `${topic}/${partition}`).to.be.greaterThan(1);
        expect(written, `${topic}/${partition}`).to.deep.equal(bare(memory.records(topic, partition)));
      }
    }
  });

  it('closes above what is there, keeps bad lines, and says both', async () => {
    const file = join(folder, 'bad.jsonl');
    const good = { receivedAt: 1_600_000_000_000, frame: { topic: 'order', id: 'x', creationTime: 1_600_000_000_000, data: [] } };
    writeFileSync(file, `${JSON.stringify(good)}\nnot a line\n`);
    const highest = (await recordsOf('ws-gateway.order', 0)).at(-1)?.timestampMs as number;
    const { code, stdout, stderr } = await command('ingest', '--capture', file);
    expect(code, stderr).to.equal(0);
    expect(stderr).to.include('the topics already reach');
    expect(stdout).to.include('1 lines went to ws-gateway.dead_letters: NotJson 1');
    for (const topic of SOURCE_TOPICS) expect((await recordsOf(topic, 0)).at(-1)?.timestampMs).to.equal(highest + 6_000);
    const letters = await recordsOf(DEAD_LETTER_TOPIC, 0);
    expect(letters.map((letter) => Buffer.from(letter.value ?? []).toString())).to.deep.equal(['not a line']);
    expect(letters[0]?.headers.map(([name, value]) => [name, Buffer.from(value).toString()])).to.deep.include(['ws-gateway.line', '2']);
  });

  it('refuses a file that is no capture, and writes nothing', async () => {
    const file = join(folder, 'text.txt');
    writeFileSync(file, 'hello\nworld\n');
    const before = (await recordsOf('ws-gateway.order', 0)).length;
    const { code, stderr } = await command('ingest', '--capture', file);
    expect(code).to.equal(1);
    expect(stderr).to.include('this is no capture');
    expect((await recordsOf('ws-gateway.order', 0)).length).to.equal(before);
    expect(await recordsOf(DEAD_LETTER_TOPIC, 0)).to.have.length(1);
  });
});
