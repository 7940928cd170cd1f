import { expect } from 'chai';
import { settingsOf } from '../../src/cli/role-table.js';
import type { RecordCodec } from '../../src/avro/record-codec.js';
import type { OutgoingRecord } from '../../src/kafka/record.js';
import { ingestIntoMemory } from '../../src/replay/capture-source.js';
import { MemoryPipeline } from '../../src/replay/memory-pipeline.js';
import { MemoryTables } from '../../src/replay/memory-tables.js';
import { openLocalCodec } from '../../src/replay/replay.js';
import { MemoryLog } from '../../src/runtime/memory-log.js';
import { SOURCE_TOPICS } from '../../src/ws-gateway/gateway.js';
import { PIPELINE, TOPOLOGIES } from '../chaos/oracle.js';
import { scenario } from '../simulator/scenarios.js';
import { simulateLines } from '../simulator/simulate.js';
import { avroLong } from './mutators.js';

const TOPIC = 'ws-gateway.execution';
const HOUR_MS = 3_600_000;

/** Records that a topic may hold and nobody of ours writes, one after the other in the middle of a session, through all roles. */
describe('hostile input', () => {
  let codec: RecordCodec;
  let session: readonly OutgoingRecord[];
  let model: OutgoingRecord;
  let undisturbed: string;

  before(async () => {
    codec = await openLocalCodec();
    const log = new MemoryLog({ defaultPartitions: 1 });
    const lines = [...simulateLines(scenario('active', 3, { orders: 20, assets: 1, meanGapMs: 300 }))];
    await ingestIntoMemory({ lines }, log, codec, { account: null, partitions: 1, skewAllowanceMs: 500, joinWindowMs: PIPELINE.joinWindowMs, continues: false });
    const end = log.records(TOPIC, 0).at(-1)!.timestampMs + HOUR_MS;
    const closing = SOURCE_TOPICS.map((topic) => ({ topic, partition: 0, timestampMs: end, key: null, value: codec.encode('Watermark', { watermark_at: end }) }));
    session = [...SOURCE_TOPICS.flatMap((topic) => log.records(topic, 0)), ...closing];
    model = log.records(TOPIC, 0).find(({ key }) => key !== null)!;
    undisturbed = rowsWith(null).rows;
    expect(undisturbed.length).to.be.greaterThan(10_000);
  });

  /** The session through all roles and into tables, with a record slipped in behind the one it is made of. */
  function rowsWith(hostile: OutgoingRecord | null): { readonly rows: string; readonly letters: readonly OutgoingRecord[]; readonly held: number } {
    const pipeline = new MemoryPipeline({ topologies: TOPOLOGIES, partitions: 1, codec, settings: settingsOf(PIPELINE) });
    const tables = new MemoryTables(pipeline.log, codec, 1);
    for (const record of session) pipeline.log.append(record === model && hostile !== null ? [record, hostile] : [record]);
    pipeline.run();
    tables.takeIn();
    // Which offset a record has, and what is known since when, tells of the record between.
    const untold = new Set(['inputs', 'known_at', 'tally', 'revision', 'reason']);
    const rows = tables.tables().map(({ table, rows: all }) => all.map((row) => row.filter((_cell, at) => !untold.has((table as { columns: readonly { name: string }[] }).columns[at]!.name) && !['jsonb'].includes((table as { columns: readonly { type: string }[] }).columns[at]!.type))));
    return { rows: JSON.stringify(rows, (_name, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)), letters: pipeline.log.records(`${TOPIC}.dead_letters`, 0), held: pipeline.heldRecords };
  }

  const value = (): Buffer => Buffer.from(model.value as Uint8Array);
  const fields = (change: object): Uint8Array => codec.encode('Execution', { ...(codec.decode(model.value as Uint8Array).value as object), ...change } as never);
  const kinds: readonly (readonly [what: string, make: () => Partial<OutgoingRecord>])[] = [
    ['a schema id nobody knows', () => ({ value: Buffer.concat([Buffer.from([0, 0, 0, 0x7f, 0xff]), value().subarray(5)]) })],
    ['a wrong magic byte', () => ({ value: Buffer.concat([Buffer.from([1]), value().subarray(1)]) })],
    ['a value that is cut short', () => ({ value: value().subarray(0, -3) })],
    ['a value that is too long', () => ({ value: Buffer.concat([value(), Buffer.alloc(64)]) })],
    ['an array whose count lies', () => ({ value: lyingArray() })],
    ['arrays in arrays, a thousand deep', () => ({ value: Buffer.concat([value().subarray(0, 5), Buffer.alloc(1_000, 2)]) })],
    ['text that is no UTF-8', () => ({ value: noUtf8() })],
    ['a tombstone', () => ({ value: null })],
    ['no key', () => ({ key: null })],
    ['a key of another asset', () => ({ key: Buffer.from('OTHERUSDT') })],
    ['five megabytes of noise', () => ({ value: Buffer.alloc(5_000_000, 0x5a) })],
    ['a text of five megabytes', () => ({ value: fields({ order_link_id: 'x'.repeat(5_000_000) }) })],
    ['an amount of all digits', () => ({ value: fields({ quantity: 10n ** 38n - 1n }) })],
    ['a time that no calendar has', () => ({ value: fields({ executed_at: Number.MAX_SAFE_INTEGER }) })],
  ];

  function lyingArray(): Buffer {
    const bytes = Buffer.from(fields({ extra_fees: [] }));
    const with1 = Buffer.from(fields({ extra_fees: [{ coin: 'X', fee_type: '', fee: 0n }] }));
    const at = bytes.findIndex((byte, index) => byte !== with1[index]);
    return Buffer.concat([bytes.subarray(0, at), avroLong(50_000_000n), bytes.subarray(at + 1)]);
  }

  function noUtf8(): Buffer {
    const bytes = value();
    const at = bytes.indexOf(Buffer.from(model.key as Uint8Array));
    bytes[at + 1] = 0xff;
    return bytes;
  }

  for (const [what, make] of kinds) {
    it(`${what}: a dead letter with its bytes, and the stream goes on as if it had not been there`, () => {
      const hostile = { ...model, ...make() };
      const { rows, letters, held } = rowsWith(hostile);
      expect(letters.map((letter) => [letter.key, letter.value])).to.deep.equal([[hostile.key, hostile.value]]);
      expect(held).to.equal(0);
      expect(rows === undisturbed).to.equal(true);
    });
  }

  for (const [what, timestampMs] of [['far ahead', 4_102_444_800_000], ['at the end of all numbers', Number.MAX_SAFE_INTEGER], ['before everything', 0]] as const) {
    it(`a clock ${what}: a copy of what is known, and the stream goes on`, () => {
      const { rows, letters, held } = rowsWith({ ...model, timestampMs });
      expect([letters.length, held, rows === undisturbed]).to.deep.equal([0, 0, true]);
    });
  }

  it('a frame nested a hundred thousand deep: a dead letter of the gateway, and the next line is taken', async () => {
    const log = new MemoryLog({ defaultPartitions: 1 });
    const frame = (data: string): string => `{"receivedAt":1767225600000,"frame":{"topic":"order","id":"a","creationTime":1767225600000,"data":${data}}}`;
    const lines = [frame(`${'['.repeat(100_000)}${']'.repeat(100_000)}`), frame(`[${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}]`), frame('[]')];
    const counts = await ingestIntoMemory({ lines }, log, codec, { account: 'main', partitions: 1, skewAllowanceMs: 500, joinWindowMs: PIPELINE.joinWindowMs, continues: false });
    expect([counts.deadLetters, counts.frames]).to.deep.equal([2, 3]);
  });
});
