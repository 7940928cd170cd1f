import { expect } from 'chai';
import { RecordCodec } from '../../src/avro/record-codec.js';
import { readRecordSchemas } from '../../src/avro/record-schema.js';
import { localSchemas } from '../../src/avro/schema-source.js';
import { settingsOf, topologies } from '../../src/cli/role-table.js';
import { MemoryPipeline } from '../../src/replay/memory-pipeline.js';
import type { MemoryLog } from '../../src/runtime/memory-log.js';
import { constantFields, earlierReleases, OlderWriter, schemaOf, valuesByName } from './older-log.js';
import { DEFAULTS, replaySession } from './replay-session.js';

const PARTITIONS = 3;
const SOURCES = ['ws-gateway.order', 'ws-gateway.execution', 'ws-gateway.position'];
const FIRST_OLDER_ID = 1_000;

function outputs(log: MemoryLog): readonly string[] {
  const topics = log.topicNames().filter((topic) => !SOURCES.includes(topic) && !topic.endsWith('.changelog') && !topic.startsWith('ws-gateway.'));
  return topics.flatMap((topic) =>
    Array.from({ length: PARTITIONS }, (_, partition) => log.records(topic, partition).map(({ offset, key, value }) => `${topic}/${partition}/${offset} ${Buffer.from(key ?? []).toString('hex')} ${value === null ? '-' : Buffer.from(value).toString('hex')}`)).flat(),
  );
}

describe('a log that earlier releases began', () => {
  it('gives the same outputs, byte for byte, from offset 0: three older versions of each schema, resolvers made once', async () => {
    const schemas = readRecordSchemas();
    const straight = await replaySession({ path: new URL('../captures/mid-start/frames.jsonl.gz', import.meta.url).pathname }, { isLogKept: true });
    const places = SOURCES.flatMap((topic) => Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition })));
    const values = valuesByName(straight.codec, places.flatMap(({ topic, partition }) => straight.log.records(topic, partition).map((record) => record.value)));

    const texts = new Map<number, string>();
    const writers = new Map(
      [...values].map(([name, written]) => {
        const own = schemaOf(schemas, name);
        const constant = constantFields(own, written);
        if (name !== 'Watermark') expect(constant, name).to.have.length.greaterThan(1);
        const versions = [...earlierReleases(own, constant), own];
        const ids = versions.map((version) => (texts.set(FIRST_OLDER_ID + texts.size, JSON.stringify(version)), FIRST_OLDER_ID + texts.size - 1));
        return [name, new OlderWriter(versions, ids)] as const;
      }),
    );
    const asked: number[] = [];
    const local = localSchemas(schemas);
    const codec = await RecordCodec.open({ idOf: (record) => local.idOf(record), textOf: async (id) => (asked.push(id), texts.get(id) ?? local.textOf(id)) }, schemas);
    const pipeline = new MemoryPipeline({ topologies: topologies(DEFAULTS), partitions: PARTITIONS, codec, settings: settingsOf(DEFAULTS) });
    for (const { topic, partition } of places) {
      const records = straight.log.records(topic, partition).map((record) => {
        const { type, value } = straight.codec.decode(record.value!);
        return { ...record, value: writers.get(type)!.bytes(value) };
      });
      await codec.learn(records.map(({ value }) => value));
      pipeline.log.append(records);
    }
    pipeline.run();
    const expected = outputs(straight.log);
    expect(expected.length).to.be.greaterThan(300);
    expect(outputs(pipeline.log)).to.deep.equal(expected);
    expect([...asked].sort((a, b) => a - b)).to.deep.equal([...texts.keys()]);
    expect(texts.size).to.equal(4 * values.size);
  });
});
