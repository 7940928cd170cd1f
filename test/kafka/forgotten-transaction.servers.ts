import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Kafka, logLevel } from 'kafkajs';
import { TopicAdmin } from '../../src/kafka/admin.js';
import { KafkaLog } from '../../src/kafka/kafka-log.js';
import type { TaskPlaces, TaskWriter } from '../../src/kafka/log.js';
import { APIS } from '../../src/kafka/protocol/request.js';
import { FaultProxy } from './fault-proxy.js';
import { KafkaCluster } from './kafka-cluster.js';
import { committedValues, outgoing } from './live.js';

const STATES = '__transaction_state';
const COMPLETE_COMMIT = 4;
const COMPLETE_ABORT = 5;
/** The broker takes records for its own topics from a client of this name only. */
const BROKERS_OWN_CLIENT = '__admin_client';
const INPUT = 'input';

interface Case {
  readonly name: string;
  readonly title: string;
  /** What the coordinator has on record; null: a writer that began since and got no further has made it forget. */
  readonly state: number | null;
  /** Of the second transaction; dead letters are always in it. */
  readonly hasOutput: boolean;
  readonly hasChangelog: boolean;
  /** 'decided': they stand at 2, as its marker would have left them. */
  readonly offsets: 'undecided' | 'decided' | 'none';
  /** How the transaction between the first and the forgotten one, of the changelog alone, ended. */
  readonly between?: 'aborted';
  readonly isCommit: boolean;
}

const CASES: readonly Case[] = [
  { name: 'said-commit', title: 'the coordinator decided to commit it', state: COMPLETE_COMMIT, hasOutput: true, hasChangelog: true, offsets: 'undecided', isCommit: true },
  { name: 'said-abort', title: 'the coordinator decided to abort it', state: COMPLETE_ABORT, hasOutput: true, hasChangelog: true, offsets: 'undecided', isCommit: false },
  { name: 'said-part', title: 'the coordinator decided to commit it, and only the offsets are marked', state: COMPLETE_COMMIT, hasOutput: true, hasChangelog: true, offsets: 'decided', isCommit: true },
  { name: 'whole', title: 'nobody has seen any of it', state: null, hasOutput: true, hasChangelog: true, offsets: 'undecided', isCommit: false },
  { name: 'moved', title: 'the changelog is undecided, and the offsets have gone past its state', state: null, hasOutput: true, hasChangelog: true, offsets: 'decided', isCommit: true },
  { name: 'unmoved', title: 'the changelog is undecided, and the offsets stand where its state stands', state: null, hasOutput: true, hasChangelog: true, offsets: 'none', isCommit: false },
  { name: 'output-commit', title: 'only an output is undecided, and the changelog ends with a commit', state: null, hasOutput: true, hasChangelog: false, offsets: 'none', isCommit: true },
  { name: 'output-abort', title: 'only an output is undecided, and the changelog ends with an abort', state: null, hasOutput: true, hasChangelog: false, offsets: 'none', between: 'aborted', isCommit: false },
  { name: 'letters', title: 'only dead letters are undecided, and the coordinator decided to commit it', state: COMPLETE_COMMIT, hasOutput: false, hasChangelog: false, offsets: 'none', isCommit: true },
];

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
    const topics = [INPUT, ...CASES.flatMap(({ name }) => [`${name}.out`, `${name}.changelog`, `${name}.letters`])];
    await admin.create(topics.map((topic) => ({ topic, partitions: 1, replicationFactor: 1, configs: {} })));
    await admin.close();
    for (const one of CASES) await leave(one);
    await log.close();
    await kafka.kill(1);
    kafka.launch(1);
    await kafka.ready();
    log = open();
    for (const { name, state, offsets } of CASES) {
      if (offsets === 'decided') await setOffsets(name, 2);
      if (state === null) await log.writer(name).init();
    }
  });

  after(async () => {
    await log.close();
    await kafka.close();
    rmSync(dir, { recursive: true });
  });

  function open(options: { readonly clientId?: string; readonly reach?: FaultProxy['reach'] } = {}): KafkaLog {
    return new KafkaLog({ brokers: kafka.direct, clientId: 'test', onWarning: (message) => warnings.push(message), ...options });
  }

  /** The changelog's values are the offsets that belong to it. */
  function placesOf(name: string): TaskPlaces {
    const changelog = { topic: `${name}.changelog`, partition: 0 };
    const stateOffsets = async (): Promise<readonly number[] | null> => {
      let last: number | null = null;
      for await (const { records } of log.readRange({ ...changelog, from: 'earliest', until: 'lastStable' })) {
        for (const { value } of records) last = Number(Buffer.from(value!).toString());
      }
      return last === null ? null : [last];
    };
    return { outputs: [{ topic: `${name}.out`, partition: 0 }], changelog, deadLetters: [{ topic: `${name}.letters`, partition: 0 }], groupId: `${name}.group`, inputs: [{ topic: INPUT, partition: 0 }], stateOffsets };
  }

  async function begun(name: string, from = log): Promise<TaskWriter> {
    const writer = from.writer(name);
    await writer.init(placesOf(name));
    return writer;
  }

  const commitAt = (writer: TaskWriter, name: string, offset: number): Promise<void> => writer.commit(`${name}.group`, [{ topic: INPUT, partition: 0, offset }]);

  async function committedOffset(name: string): Promise<number | null> {
    return (await log.committedOffsets(`${name}.group`, placesOf(name).inputs))[0]!.offset;
  }

  /** As a marker of the transaction would leave them. */
  async function setOffsets(name: string, offset: number): Promise<void> {
    const admin = new Kafka({ brokers: [...kafka.direct], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.setOffsets({ groupId: `${name}.group`, topic: INPUT, partitions: [{ partition: 0, offset: String(offset) }] });
    await admin.disconnect();
  }

  /** A first transaction, and a second one that has everything but its end. */
  async function leave({ name, state, hasOutput, hasChangelog, offsets, between }: Case): Promise<void> {
    const first = await begun(name);
    await first.send([outgoing(`${name}.out`, 0, 'first'), outgoing(`${name}.changelog`, 0, '1')]);
    await commitAt(first, name, 1);
    if (between === 'aborted') {
      await first.send([outgoing(`${name}.changelog`, 0, '2')]);
      await first.abort();
    }
    const proxy = new FaultProxy();
    const [host = '', port = ''] = kafka.direct[0]!.split(':');
    await proxy.open({ host, port: Number(port) });
    const cut = open({ reach: proxy.reach });
    const writer = await begun(name, cut);
    await writer.send([outgoing(`${name}.letters`, 0, 'second'), ...(hasOutput ? [outgoing(`${name}.out`, 0, 'second')] : []), ...(hasChangelog ? [outgoing(`${name}.changelog`, 0, '2')] : [])]);
    proxy.arm(offsets === 'undecided' ? APIS.endTxn.key : APIS.addOffsetsToTxn.key, 'before-request');
    await commitAt(writer, name, 2).then(() => expect.fail('it must not be committed'), () => undefined);
    await cut.close();
    await proxy.close();
    await forgeEnd(name, state ?? COMPLETE_COMMIT);
  }

  /** The coordinator's last record of a writer, with its state replaced; read by it when the broker starts again. */
  async function forgeEnd(name: string, state: number): Promise<void> {
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
    record.writeInt8(state, 16);
    for (const at of [21, 29]) record.writeBigInt64BE(BigInt(Date.now()), at);
    const brokers = open({ clientId: BROKERS_OWN_CLIENT });
    await brokers.sourceWriter().send([{ topic: STATES, partition: place.partition, timestampMs: Date.now(), key: Buffer.from(place.key), value: record }]);
    await brokers.close();
  }

  async function undecided(name: string): Promise<number> {
    const { outputs, changelog, deadLetters } = placesOf(name);
    const places = [...outputs, changelog, ...deadLetters];
    const [stable, ends] = await Promise.all([log.lastStableOffsets(places), log.endOffsets(places)]);
    return ends.reduce((sum, { offset }, index) => sum + offset - stable[index]!.offset, 0);
  }

  for (const { name, title, hasOutput, hasChangelog, offsets, isCommit } of CASES) {
    it(`is ${isCommit ? 'committed' : 'aborted'} by the next writer where ${title}`, async () => {
      expect(await undecided(name)).to.equal([true, hasOutput, hasChangelog].filter(Boolean).length);
      warnings = [];
      const writer = await begun(name);
      // Among dead letters it may be another's.
      if (hasOutput) expect(warnings.join()).to.include(`forgotten to end a transaction of "${name}": it is ${isCommit ? 'committed' : 'aborted'} now`);
      else expect(warnings).to.deep.equal([]);
      expect(await undecided(name)).to.equal(0);
      expect(await committedOffset(name)).to.equal(offsets !== 'none' && isCommit ? 2 : 1);
      if (hasChangelog) expect(await placesOf(name).stateOffsets()).to.deep.equal([isCommit ? 2 : 1]);
      await writer.send([outgoing(`${name}.out`, 0, 'third'), outgoing(`${name}.letters`, 0, 'third'), outgoing(`${name}.changelog`, 0, '3')]);
      await commitAt(writer, name, 3);
      const second = isCommit ? ['second'] : [];
      const values = ['first', ...(hasOutput ? second : []), 'third'];
      expect(await committedValues(log, `${name}.out`, 0, values.length)).to.deep.equal(values);
      expect(await committedValues(log, `${name}.letters`, 0, second.length + 1)).to.deep.equal([...second, 'third']);
      expect(await committedOffset(name)).to.equal(3);
    });
  }

  it('is not found where everything is in order', async () => {
    warnings = [];
    await begun('whole');
    expect(warnings).to.deep.equal([]);
  });
});
