import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { readRecordSchemas } from '../../src/avro/record-schema.js';
import type { Fill } from '../../src/domain/records.js';
import { openCodec } from '../../src/schema-registry/open-codec.js';
import { RegistryClient } from '../../src/schema-registry/registry-client.js';
import { stackEnvironment, temporaryNamespace } from '../cli/temporary-namespace.js';
import { LiveKafka } from '../kafka/live.js';
import { constantFields, earlierReleases, OlderWriter, schemaOf } from '../replay/older-log.js';

const RECORDS = 2_000;

const fill: Fill = {
  account: 'main', category: 'linear', asset: 'BTCUSDT', position_idx: null, fill_id: 'e1', source: 'execution', exec_id: 'e1', order_id: 'o1', order_link_id: 'sig_1', signal_id: 'sig',
  side: 'Buy', quantity: 10n ** 18n, price: 65_000n * 10n ** 18n, value: 65_000n * 10n ** 18n, fee: -1n, other_fees: '', closed_size: null, exec_pnl: null, leaves_quantity: null,
  exec_type: 'Trade', create_type: '', is_maker: null, seq: 7, seq_after: null, executed_at: 1_700_000_000_000, executed_after: null, from_quantity: null, to_quantity: null,
  first_seen: false, retracted: false, revision: 0, inputs: [],
};

describe('a topic that earlier releases began', () => {
  const kafka = new LiveKafka();
  const namespace = temporaryNamespace('older');
  const subject = `${namespace}.fills-position_linker.Fill`;
  const registry = new RegistryClient(stackEnvironment().SCHEMA_REGISTRY_URL);
  after(async () => {
    await registry.deleteSubject(subject);
    await kafka.cleanUp();
  });

  it('is read from offset 0: three older versions, which the registry lets in at FULL_TRANSITIVE, each asked for once', async () => {
    const own = schemaOf(readRecordSchemas(), 'Fill');
    const written = Array.from({ length: RECORDS }, (_, index): Fill => ({ ...fill, fill_id: `e${index}`, seq: index, quantity: BigInt(index) * 10n ** 15n }));
    const versions = [...earlierReleases(own, constantFields(own, written)), own];
    await registry.setLevel(subject, 'FULL_TRANSITIVE');
    const ids: number[] = [];
    for (const version of versions) ids.push(await registry.register(subject, JSON.stringify(version)));
    expect(new Set(ids).size).to.equal(4);

    const writer = new OlderWriter(versions, ids);
    const topic = await kafka.topic();
    const log = kafka.log();
    const source = log.sourceWriter();
    await source.send(written.map((value) => ({ topic, partition: 0, timestampMs: value.executed_at, key: Buffer.from(value.asset), value: writer.bytes(value) })));
    await source.close();

    const asked: string[] = [];
    const counting = await countingProxy(stackEnvironment().SCHEMA_REGISTRY_URL, asked);
    try {
      const codec = await openCodec({ registryUrl: counting.url, namespace, topics: [] });
      const reader = log.reader();
      reader.assign([{ topic, partition: 0, offset: 0 }]);
      const read: unknown[] = [];
      while (read.length < RECORDS) {
        for (const { records } of await reader.poll(1_000)) {
          await codec.learn(records.map(({ value }) => value));
          for (const { value } of records) read.push(codec.decode(value!).value);
        }
      }
      await reader.close();
      expect(read).to.deep.equal(written);
      expect(asked.filter((path) => path.includes('schemas/ids/')).sort()).to.have.length(4);
    } finally {
      counting.close();
    }
  });
});

/** Hands requests on to the registry and notes their paths. */
async function countingProxy(target: string, asked: string[]): Promise<{ readonly url: string; readonly close: () => void }> {
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    void fetch(`${target}${request.url ?? ''}`).then(async (answer) => {
      response.writeHead(answer.status).end(await answer.text());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}
