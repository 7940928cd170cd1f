import { expect } from 'chai';
import { TopicAdmin } from '../../src/kafka/admin.js';
import { KafkaLog } from '../../src/kafka/kafka-log.js';
import type { LogRecord } from '../../src/kafka/record.js';
import { RoleRunner } from '../../src/runtime/role-runner.js';
import { line, OUTPUT_TOPICS, PARTITIONS, session, SETTINGS, silent, straight } from './toy-session.js';
import { toyCodec, toyTopology, TOY_TOPICS } from './toy.js';

const TIMESTAMPS = { 'message.timestamp.before.max.ms': '9223372036854775807', 'message.timestamp.after.max.ms': '9223372036854775807', 'retention.ms': '-1' };

function brokers(): readonly string[] {
  const addresses = process.env['KAFKA_BROKERS'];
  if (addresses === undefined) throw new Error('KAFKA_BROKERS is not set: run scripts/test, or start a stack and set it');
  return addresses.split(',');
}

describe('role runner on a broker', () => {
  const namespace = `toy_${process.pid}_${Math.floor(performance.timeOrigin)}`;
  const admin = new TopicAdmin({ brokers: brokers(), clientId: 'role-runner-test' });
  const expected = straight(session()).map((text) => `${namespace}.${text}`);
  const open: KafkaLog[] = [];

  const connect = (): KafkaLog => {
    const log = new KafkaLog({ brokers: brokers(), clientId: 'role-runner-test' });
    open.push(log);
    return log;
  };
  const start = (log: KafkaLog): RoleRunner => {
    const runner = new RoleRunner({
      topology: toyTopology,
      log,
      codec: { ...toyCodec, learn: () => null },
      namespace,
      settings: SETTINGS,
      commitIntervalMs: 5,
      sessionTimeoutMs: 6_000,
      logger: silent,
    });
    runner.start();
    return runner;
  };
  const outputs = async (log: KafkaLog): Promise<string[]> => {
    const lines: string[] = [];
    for (const topic of OUTPUT_TOPICS) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const range = log.readRange({ topic: `${namespace}.${topic}`, partition, from: 'earliest', until: 'lastStable' });
        for await (const { records } of range) lines.push(...records.map((record: LogRecord) => line(record)));
      }
    }
    return lines;
  };
  const finished = async (log: KafkaLog): Promise<string[]> => {
    for (const end = Date.now() + 60_000; ; ) {
      const lines = await outputs(log);
      if (lines.length >= expected.length || Date.now() > end) return lines;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  before(() =>
    admin.create(TOY_TOPICS.map((topic) => ({ topic: `${namespace}.${topic}`, partitions: PARTITIONS, replicationFactor: 1, configs: TIMESTAMPS }))),
  );
  after(async () => {
    for (const log of open) await log.close();
    await admin.delete(TOY_TOPICS.map((topic) => `${namespace}.${topic}`));
    await admin.close();
  });

  it('writes what a straight run writes while instances come, go, and vanish', async () => {
    const log = connect();
    const source = log.sourceWriter();
    const records = session().map((record) => ({ ...record, topic: `${namespace}.${record.topic}` }));
    const steady = start(log);
    let guest: { readonly runner: RoleRunner; readonly log: KafkaLog } | null = null;
    for (let from = 0, round = 0; from < records.length; from += 40, round++) {
      await source.send(records.slice(from, from + 40));
      if (guest === null) {
        const own = connect();
        guest = { runner: start(own), log: own };
      } else if (round % 4 === 1) {
        guest.runner.stop();
        expect(await guest.runner.finished).to.deep.equal({ kind: 'stopped' });
        guest = null;
      } else {
        // Its sockets are cut in the middle of whatever it does; a successor with the same tasks fences it.
        await guest.log.close();
        guest.runner.stop();
        guest = null;
      }
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    const seen = await finished(log);
    steady.stop();
    guest?.runner.stop();
    expect(await steady.finished).to.deep.equal({ kind: 'stopped' });
    expect(seen).to.deep.equal(expected);
  });
});
