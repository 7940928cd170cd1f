import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { TopicAdmin } from '../../src/kafka/admin.js';
import { KafkaLog } from '../../src/kafka/kafka-log.js';
import type { OwnedPlaces, TaskWriter } from '../../src/kafka/log.js';
import { APIS } from '../../src/kafka/protocol/request.js';
import { FaultProxy } from './fault-proxy.js';
import { KafkaCluster } from './kafka-cluster.js';
import { committedValues, outgoing } from './live.js';

const STATES = '__transaction_state';
const COMPLETE_COMMIT = 4;
/** The broker takes records for its own topics from a client of this name only. */
const BROKERS_OWN_CLIENT = '__admin_client';
const INPUT = 'input';

/** What a killed broker was seen to do, made to happen: the coordinator's record says that all is over, the partitions do not. */
describe('a transaction that the broker has forgotten to end', function () {
  this.timeout(180_000);
  const dir = mkdtempSync(join(tmpdir(), 'forgotten-'));
  let kafka: KafkaCluster;
  let log: KafkaLog;
  let warnings: string[] = [];

  before(async () => {
    kafka = await KafkaCluster.start({ dir, count: 1 });
    log = open();
    const admin = new TopicAdmin({ brokers: kafka.direct, clientId: 'test' });
    const topics = [INPUT, ...['whole', 'committed', 'aborted'].flatMap((name) => [`${name}.out`, `${name}.changelog`])];
    await admin.create(topics.map((topic) => ({ topic, partitions: 1, replicationFactor: 1, configs: {} })));
    await admin.close();
  });

  after(async () => {
    await log.close();
    await kafka.close();
    rmSync(dir, { recursive: true });
  });

  function open(options: { readonly clientId?: string; readonly reach?: FaultProxy['reach'] } = {}): KafkaLog {
    return new KafkaLog({ brokers: kafka.direct, clientId: 'test', onWarning: (message) => warnings.push(message), ...options });
  }

  function owned(name: string): OwnedPlaces {
    return { outputs: [{ topic: `${name}.out`, partition: 0 }], changelog: { topic: `${name}.changelog`, partition: 0 }, groupId: `${name}.group`, inputs: [{ topic: INPUT, partition: 0 }] };
  }

  async function begun(name: string, from = log): Promise<TaskWriter> {
    const writer = from.writer(name);
    await writer.init(owned(name));
    return writer;
  }

  const commitAt = (writer: TaskWriter, name: string, offset: number): Promise<void> => writer.commit(`${name}.group`, [{ topic: INPUT, partition: 0, offset }]);

  /** Everything of a transaction but its end. */
  async function leaveOpen(name: string, values: readonly string[], offset: number): Promise<void> {
    const proxy = new FaultProxy();
    const [host = '', port = ''] = kafka.direct[0]!.split(':');
    await proxy.open({ host, port: Number(port) });
    const cut = open({ reach: proxy.reach });
    const writer = await begun(name, cut);
    await writer.send(values.map((value) => outgoing(`${name}.out`, 0, value)));
    await writer.send([outgoing(`${name}.changelog`, 0, `at ${offset}`)]);
    proxy.arm(APIS.endTxn.key, 'before-request');
    await commitAt(writer, name, offset).then(() => expect.fail('it must not be committed'), () => undefined);
    await cut.close();
    await proxy.close();
  }

  /** The coordinator's last record of a writer, with its state replaced; read by it when the broker starts again. */
  async function forgeEnd(name: string): Promise<void> {
    const partitions = await log.partitionCount(STATES);
    let place: { readonly partition: number; readonly key: Uint8Array; readonly value: Buffer } | null = null;
    for (let partition = 0; partition < partitions; partition++) {
      for await (const { records } of log.readRange({ topic: STATES, partition, from: 'earliest', until: 'lastStable' })) {
        for (const { key, value } of records) if (key !== null && value !== null && Buffer.from(key).subarray(4).toString() === name) place = { partition, key, value: Buffer.from(value) };
      }
    }
    if (place === null) throw new Error(`the coordinator knows nothing of ${name}`);
    // Version 0 of the record: producer id, epoch, timeout, state, number of partitions, two times.
    const record = Buffer.alloc(2 + 8 + 2 + 4 + 1 + 4 + 8 + 8);
    place.value.copy(record, 2, 2, 16);
    record.writeInt8(COMPLETE_COMMIT, 16);
    for (const at of [21, 29]) record.writeBigInt64BE(BigInt(Date.now()), at);
    const brokers = open({ clientId: BROKERS_OWN_CLIENT });
    await brokers.sourceWriter().send([{ topic: STATES, partition: place.partition, timestampMs: Date.now(), key: Buffer.from(place.key), value: record }]);
    await brokers.close();
  }

  async function restart(): Promise<void> {
    await log.close();
    await kafka.kill(1);
    kafka.launch(1);
    await kafka.ready();
    log = open();
    warnings = [];
  }

  async function undecided(name: string): Promise<number> {
    const { outputs, changelog } = owned(name);
    const places = [...outputs, changelog];
    const [stable, ends] = await Promise.all([log.lastStableOffsets(places), log.endOffsets(places)]);
    return ends.reduce((sum, { offset }, index) => sum + offset - stable[index]!.offset, 0);
  }

  it('is aborted by the next writer where its changelog is undecided too: nobody has seen any of it', async () => {
    await commitAt(await sent('whole', 'first'), 'whole', 1);
    await leaveOpen('whole', ['second'], 2);
    await forgeEnd('whole');
    await restart();
    expect(await undecided('whole')).to.equal(2);
    const writer = await begun('whole');
    expect(warnings.join()).to.include('forgotten to end a transaction of "whole": it is aborted now');
    expect(await undecided('whole')).to.equal(0);
    expect((await log.committedOffsets('whole.group', owned('whole').inputs))[0]!.offset).to.equal(1);
    await writer.send([outgoing('whole.out', 0, 'second again'), outgoing('whole.changelog', 0, 'at 2')]);
    await commitAt(writer, 'whole', 2);
    expect(await committedValues(log, 'whole.out', 0, 2)).to.deep.equal(['first', 'second again']);
    expect((await log.committedOffsets('whole.group', owned('whole').inputs))[0]!.offset).to.equal(2);
  });

  for (const [name, how] of [['committed', 'committed'], ['aborted', 'aborted']] as const) {
    it(`is ${how} by the next writer where only an output is undecided, and the changelog's last transaction was ${how}`, async () => {
      const writer = await sent(name, 'first');
      await commitAt(writer, name, 1);
      if (how === 'aborted') {
        await writer.send([outgoing(`${name}.changelog`, 0, 'at 2')]);
        await writer.abort();
      }
      await writer.send([outgoing(`${name}.out`, 0, 'second')]);
      await forgeEnd(name);
      await restart();
      expect(await undecided(name)).to.equal(1);
      const next = await begun(name);
      expect(warnings.join()).to.include(`it is ${how} now`);
      expect(await undecided(name)).to.equal(0);
      await next.send([outgoing(`${name}.out`, 0, 'third'), outgoing(`${name}.changelog`, 0, 'at 3')]);
      await commitAt(next, name, 3);
      const values = how === 'committed' ? ['first', 'second', 'third'] : ['first', 'third'];
      expect(await committedValues(log, `${name}.out`, 0, values.length)).to.deep.equal(values);
    });
  }

  it('is not found where everything is in order', async () => {
    warnings = [];
    await begun('committed');
    expect(warnings).to.deep.equal([]);
  });

  async function sent(name: string, value: string): Promise<TaskWriter> {
    const writer = await begun(name);
    await writer.send([outgoing(`${name}.out`, 0, value), outgoing(`${name}.changelog`, 0, 'at 1')]);
    return writer;
  }
});
