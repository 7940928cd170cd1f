import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { RecordCodec } from '../../../src/avro/record-codec.js';
import { createLog } from '../../../src/config/log.js';
import { resolveOptions } from '../../../src/config/resolve.js';
import { GATEWAY_OPTIONS } from '../../../src/cli/exchange-options.js';
import { startGateway } from '../../../src/cli/gateway-role.js';
import type { RunningRole } from '../../../src/cli/role-table.js';
import type { RecordTypes } from '../../../src/domain/records.js';
import { KafkaLog } from '../../../src/kafka/kafka-log.js';
import { openCodec } from '../../../src/schema-registry/open-codec.js';
import { declaredTopics } from '../../../src/topic-apply/declared-topics.js';
import { SOURCE_TOPICS } from '../../../src/ws-gateway/gateway.js';
import { removeNamespace, stackEnvironment, temporaryNamespace } from '../../cli/temporary-namespace.js';
import { run } from '../../e2e/pipeline.js';
import { BROKER_FAULTS, FAULTS, runCampaign } from '../../fake-exchange/campaign.js';
import { FakeExchange } from '../../fake-exchange/fake-exchange.js';
import { sessionOf, type ExchangeSession } from '../../fake-exchange/session.js';
import { FaultProxy } from '../../kafka/fault-proxy.js';
import { until } from '../../kafka/live.js';
import { scenario } from '../../simulator/scenarios.js';

describe('the live gateway on a real stack', function () {
  this.timeout(120_000);

  it('disconnected again and again, killed once, with everything that can go wrong: the tables are true', async () => {
    const seed = Date.now() % 1_000_000;
    // Half of the faults a run, by its seed; the campaign of test/fake-exchange has them all.
    const quick = FAULTS.filter((fault) => fault !== 'silence' && !BROKER_FAULTS.includes(fault)).filter((fault, n) => fault === 'kill' || n % 2 === seed % 2);
    const { differences, kills } = await runCampaign({ seed, disconnects: quick.length, everyMs: 500, faults: quick, orders: 60, meanGapMs: 120, joinWindowMs: 1_000 });
    expect(differences, `seed ${seed}`).to.deep.equal([]);
    expect(kills).to.equal(1);
  });

  describe('while the broker takes nothing', () => {
    const namespace = temporaryNamespace('gwspool');
    const folder = mkdtempSync(join(tmpdir(), 'gateway-'));
    const brokers = stackEnvironment().KAFKA_BROKERS.split(',');
    let codec: RecordCodec;
    let exchange: FakeExchange;
    let proxy: FaultProxy;
    let session: ExchangeSession;
    const logs: KafkaLog[] = [];

    before(async () => {
      await run('setup', '--namespace', namespace, '--partitions', '1');
      codec = await openCodec({ registryUrl: stackEnvironment().SCHEMA_REGISTRY_URL, namespace, topics: declaredTopics() });
      proxy = new FaultProxy();
      for (const broker of brokers) {
        const [host = '', port = ''] = broker.split(':');
        await proxy.open({ host, port: Number(port) });
      }
    });

    after(async () => {
      await exchange?.stop();
      for (const log of logs) await log.close();
      await proxy.close();
      rmSync(folder, { recursive: true });
      await removeNamespace(stackEnvironment(), namespace);
    });

    function openLog(reach?: FaultProxy['reach']): KafkaLog {
      const log = new KafkaLog({ brokers, clientId: 'test', ...(reach && { reach }) });
      logs.push(log);
      return log;
    }

    function start(): Promise<RunningRole> {
      const [account] = exchange.accounts;
      const options = resolveOptions([...GATEWAY_OPTIONS, 'joinWindowMs'], new Map([['spoolDir', folder], ['wsUrl', exchange.wsUrl], ['restUrl', exchange.restUrl], ['settleMs', '200']]), { BYBIT_API_KEY: account!.key, BYBIT_API_SECRET: account!.secret });
      return startGateway({ log: openLog(proxy.reach), codec, namespace, logger: createLog('silent'), options, signal: new AbortController().signal });
    }

    async function received(): Promise<{ readonly envelopes: Set<string | null>; readonly bytes: string }> {
      const log = openLog();
      const envelopes = new Set<string | null>();
      let bytes = '';
      for (const topic of SOURCE_TOPICS) {
        for await (const { records } of log.readRange({ topic: `${namespace}.${topic}`, partition: 0, from: 'earliest', until: 'lastStable' })) {
          for (const { value, headers } of records) {
            if (value === null) continue;
            bytes += Buffer.from(value).toString('latin1') + headers.map(([, text]) => Buffer.from(text).toString()).join();
            const decoded = codec.decode(value);
            if (decoded.type === 'Watermark') continue;
            const row = decoded.value as RecordTypes['OrderUpdate'];
            if (row.source === 'stream') envelopes.add(`${topic} ${row.envelope_id} ${row.envelope_created_at}`);
          }
        }
      }
      return { envelopes, bytes };
    }

    it('every frame that was received reaches the topics, through the disk and a restart', async () => {
      const startTimeMs = Date.now() + 1_500;
      session = sessionOf({ ...scenario('active', 5, { orders: 40, meanGapMs: 100 }), startTimeMs });
      exchange = new FakeExchange({ session });
      await exchange.start();
      const first = await start();
      await until('the gateway listens', () => exchange.stream.listeners(0) === 1);
      await pause(Math.max(0, startTimeMs + 1_000 - Date.now()));
      proxy.pause();
      await until('frames go to disk', () => readdirSync(join(folder, namespace, '0')).some((name) => name.startsWith('spool-')));
      await until('the session is over', () => exchange.progress.sent === exchange.progress.of);
      await pause(100);
      first.stop();
      expect(await first.finished).to.deep.equal({ kind: 'stopped' });
      await first.close();
      expect(exchange.unheard, 'nothing was lost on the way').to.deep.equal([]);
      proxy.resume();
      const second = await start();
      await until('the disk is empty again', () => readdirSync(join(folder, namespace, '0')).every((name) => name === 'lock'));
      second.stop();
      await second.finished;
      await second.close();
      const { envelopes, bytes } = await received();
      const sent = session.frames.map(({ text }) => JSON.parse(text) as { topic: string; id: string; creationTime: number }).map(({ topic, id, creationTime }) => `ws-gateway.${topic} ${id} ${creationTime}`);
      expect(sent.filter((frame) => !envelopes.has(frame))).to.deep.equal([]);
      for (const { key, secret } of exchange.accounts) expect(bytes.includes(key) || bytes.includes(secret), 'no record holds a key').to.equal(false);
    });
  });
});
