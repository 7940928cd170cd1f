import { spawn } from 'node:child_process';
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { expect } from 'chai';
import { readRecordSchemas } from '../../src/avro/record-schema.js';
import type { OrderUpdate } from '../../src/domain/records.js';
import { openCodec } from '../../src/schema-registry/open-codec.js';
import { IncompatibleSchemaError, RegistryClient } from '../../src/schema-registry/registry-client.js';
import { applyTopicPlan, planAgainst } from '../../src/topic-apply/apply-topics.js';
import { declaredTopics, wantedTopics } from '../../src/topic-apply/declared-topics.js';
import { isEmptyPlan } from '../../src/topic-apply/topic-plan.js';
import { removeNamespace, stackEnvironment, temporaryNamespace, topicAdmin } from './temporary-namespace.js';

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function positionLinker(args: readonly string[], env: Record<string, string> = {}): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', ...args], { env: { ...process.env, ...env } });
    const run = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (run.stdout += String(chunk)));
    child.stderr.on('data', (chunk) => (run.stderr += String(chunk)));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...run }));
  });
}

describe('setup against a broker, a registry and a database', () => {
  const stack = stackEnvironment();
  const namespace = temporaryNamespace('setup');
  const admin = topicAdmin(stack);
  const registry = new RegistryClient(stack.SCHEMA_REGISTRY_URL);
  const subject = `${namespace}.ws-gateway.order-position_linker.OrderUpdate`;

  after(async () => {
    await admin.close();
    await removeNamespace(stack, namespace);
  });

  it('shows the plan without doing it', async () => {
    const plan = await positionLinker(['topics', 'apply', '--dry-run', '--partitions', '2'], { POSITION_LINKER_NAMESPACE: namespace });
    expect(plan.stderr).to.equal('');
    expect(plan.stdout).to.include(`create ${namespace}.ws-gateway.order (2 partitions, replication 1)`);
    expect((await positionLinker(['schemas', 'register', '--dry-run', '--namespace', namespace])).stdout).to.include(`register ${subject}, version 1`);
    expect(await admin.describe([`${namespace}.ws-gateway.order`])).to.deep.equal([]);
    expect(await registry.versions(subject)).to.deep.equal([]);
  });

  it('makes topics, subjects and tables, and finds nothing to do the second time', async () => {
    const first = await positionLinker(['setup', '--namespace', namespace, '--partitions', '2']);
    expect([first.stderr, first.code]).to.deep.equal(['', 0]);
    expect(first.stdout).to.match(/topics: 27 created/).and.match(/schemas: 22 registered/).and.match(/database: schema \w+ brought up to version/);
    const second = await positionLinker(['setup', '--namespace', namespace, '--partitions', '2']);
    expect(second.stdout).to.match(/topics: 27 as declared/).and.match(/schemas: 22 subjects as declared/).and.match(/up to date/);

    const wanted = wantedTopics(namespace, declaredTopics({ environment: null, partitions: 2 }));
    expect(isEmptyPlan(await planAgainst(admin, wanted))).to.equal(true);
    const described = await admin.describe([`${namespace}.position-linker.changelog`]);
    expect(described[0]).to.deep.include({ partitions: 2 });
    expect(described[0]?.configs).to.include({ 'cleanup.policy': 'compact', 'message.timestamp.before.max.ms': '9223372036854775807' });
    expect(await registry.level(subject)).to.equal('FULL_TRANSITIVE');
  });

  it('mends a setting that drifted, and refuses other partitions without touching anything', async () => {
    const topic = `${namespace}.ws-gateway.order`;
    await admin.mergeConfigs(topic, { 'max.message.bytes': '1000000' });
    const plan = await planAgainst(admin, wantedTopics(namespace, declaredTopics({ environment: null, partitions: 2 })));
    expect(plan.change).to.deep.equal([{ topic, name: 'max.message.bytes', from: '1000000', to: '10485760' }]);
    await applyTopicPlan(admin, plan);
    expect((await admin.describe([topic]))[0]?.configs).to.include({ 'max.message.bytes': '10485760', 'retention.ms': '-1' });

    const refused = await positionLinker(['topics', 'apply', '--namespace', namespace, '--partitions', '3']);
    expect(refused.code).to.equal(1);
    expect(refused.stderr).to.include('have 2 partitions, 3 are declared').and.include('next:');
    expect((await admin.describe([topic]))[0]?.partitions).to.equal(2);
  });

  it('is refused a schema that old readers could not read', async () => {
    const order = readRecordSchemas().find((schema) => schema.name === 'OrderUpdate')!;
    const breaking = { ...order.schema, fields: [...(order.schema.fields ?? []), { name: 'added', type: 'string' as const, doc: 'Without a default.' }] };
    const error = await registry.register(subject, JSON.stringify(breaking)).then(
      () => null,
      (caught: unknown) => caught,
    );
    expect(error).to.be.instanceOf(IncompatibleSchemaError);
    expect(await registry.versions(subject)).to.deep.equal([1]);
  });

  it('lets the codec write what the registry client of kafkajs users reads', async () => {
    const topics = declaredTopics();
    const codec = await openCodec({ registryUrl: stack.SCHEMA_REGISTRY_URL, namespace, topics: topics.filter((topic) => topic.name === 'ws-gateway.order') });
    const bytes = codec.encode('OrderUpdate', ORDER);
    const other = new SchemaRegistry({ host: stack.SCHEMA_REGISTRY_URL });
    const read = (await other.decode(Buffer.from(bytes))) as { order_id: string; quantity: Buffer; updated_at: number; seq: number };
    expect(read.order_id).to.equal('o1');
    expect(read.quantity.toString('hex')).to.equal((15n * 10n ** 17n).toString(16));
    expect([read.updated_at, read.seq]).to.deep.equal([1_700_000_000_001, 140612148849382]);
    expect(() => codec.encode('Portfolio', {} as never)).to.throw('does not write Portfolio');
  });

  it('lets another process read it, by ids that it asks for once, and a later version of the schema too', async () => {
    const topics = declaredTopics().filter((topic) => topic.name === 'ws-gateway.order');
    const bytes = (await openCodec({ registryUrl: stack.SCHEMA_REGISTRY_URL, namespace, topics })).encode('OrderUpdate', ORDER);
    const order = readRecordSchemas().find((schema) => schema.name === 'OrderUpdate')!;
    const later = { ...order.schema, fields: [...(order.schema.fields ?? []), { name: 'added', type: 'string' as const, default: '', doc: 'New.' }] };
    const id = await registry.register(subject, JSON.stringify(later));
    const written = Buffer.concat([bytes, Buffer.from([4, 0x68, 0x69])]);
    written.writeInt32BE(id, 1);

    const reader = await openCodec({ registryUrl: stack.SCHEMA_REGISTRY_URL, namespace, topics: [] });
    await reader.learn([bytes, written, Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 0])]);
    expect(reader.decode(bytes)).to.deep.equal({ type: 'OrderUpdate', value: ORDER });
    expect(reader.decode(written)).to.deep.equal({ type: 'OrderUpdate', value: ORDER });
    expect(() => reader.decode(Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 0]))).to.throw('unknown_schema_id');

    // Ours is no longer the latest version, and still found.
    expect((await openCodec({ registryUrl: stack.SCHEMA_REGISTRY_URL, namespace, topics })).encode('OrderUpdate', ORDER).equals(bytes)).to.equal(true);
  });

  it('says what to run where nothing was registered', async () => {
    const error = await openCodec({ registryUrl: stack.SCHEMA_REGISTRY_URL, namespace: `${namespace}x`, topics: declaredTopics() }).then(
      () => null,
      (caught: unknown) => caught,
    );
    expect(error).to.have.property('nextStep').that.includes('schemas register');
  });

  it('says which server does not answer', async () => {
    const { code, stderr } = await positionLinker(['schemas', 'register', '--registry-url', 'http://user:secret@127.0.0.1:1/']);
    expect(code).to.equal(1);
    expect(stderr).to.include('the schema registry at http://127.0.0.1:1 could not be asked').and.include('next:').and.not.include('secret');
  });
});

const ORDER: OrderUpdate = {
  account: 'main', category: 'linear', asset: 'BTCUSDT', order_id: 'o1', order_link_id: 'sig_1', parent_order_link_id: '', side: 'Buy', position_idx: 0,
  order_type: 'Limit', order_status: 'New', create_type: 'CreateByUser', cancel_type: 'UNKNOWN', reject_reason: 'EC_NoError', stop_order_type: '', time_in_force: 'GTC',
  reduce_only: false, close_on_trigger: false, price: 65_012_500_000_000_000_000_000n, quantity: 15n * 10n ** 17n, average_price: null, leaves_quantity: null,
  cumulative_quantity: 0n, cumulative_value: 0n, cumulative_fee: -1n, closed_pnl: null, trigger_price: null, take_profit: null, stop_loss: null,
  created_at: 1_700_000_000_000, updated_at: 1_700_000_000_001, seq: 140612148849382, source: 'stream', received_at: 1_700_000_000_002, envelope_id: null,
  envelope_created_at: 1_700_000_000_001, frame_index: 0,
};
