import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { topologies } from '../../src/cli/role-table.js';
import { DEFAULT_SIGNAL_PATTERN } from '../../src/domain/signal.js';
import type { LogRecord } from '../../src/kafka/record.js';
import { ingestIntoMemory } from '../../src/replay/capture-source.js';
import { MemoryTask } from '../../src/replay/memory-task.js';
import { openLocalCodec } from '../../src/replay/replay.js';
import { MemoryLog } from '../../src/runtime/memory-log.js';
import type { Topology } from '../../src/runtime/processor.js';
import { STATE_KEY, StateVersionError } from '../../src/runtime/task-state.js';

const SETTINGS = { policy: 'pro-rata' };
const ROLES = topologies({ policy: 'pro-rata', joinWindowMs: 5_000, horizonMs: 86_400_000, horizonEvents: 5_000, signalPattern: DEFAULT_SIGNAL_PATTERN });
const [ORDERS, , LINKER] = ROLES as [Topology, Topology, Topology];
const CAPTURE = { path: fileURLToPath(new URL('../captures/reversals/frames.jsonl.gz', import.meta.url)) };

/** A linker of another version, whose state is not that of the first: it cannot read it. */
function ofVersion(stateVersion: number): Topology {
  return {
    ...LINKER, stateVersion,
    createProcessor: () => {
      const linker = LINKER.createProcessor();
      return {
        process: (record, emitter) => linker.process(record, emitter),
        advance: (watermarkMs, emitter) => linker.advance(watermarkMs, emitter),
        takeChanges: () => linker.takeChanges().map(({ key, value }) => ({ key: `v${stateVersion}|${key}`, value })),
        restore: (key, value) => {
          if (!key.startsWith(`v${stateVersion}|`)) throw new Error(`version ${stateVersion} cannot read ${key}`);
          linker.restore(key.slice(key.indexOf('|') + 1), value);
        },
        finishRestore: () => linker.finishRestore(),
      };
    },
  };
}

describe('state of another version', () => {
  const codec = openLocalCodec();
  const task = async (log: MemoryLog, topology: Topology): Promise<MemoryTask> => new MemoryTask(log, { topology, partition: 0, namespace: null, codec: await codec, settings: SETTINGS });
  const prepared = async (): Promise<MemoryLog> => {
    const log = new MemoryLog({ defaultPartitions: 1, hasMarkers: true });
    await ingestIntoMemory(CAPTURE, log, await codec, { account: null, partitions: 1, skewAllowanceMs: 500, joinWindowMs: 5_000, continues: false });
    drain(await task(log, ORDERS));
    return log;
  };
  const drain = (running: MemoryTask): void => {
    for (let input = 0; input < running.inputCount; input++) running.feed(input, Number.POSITIVE_INFINITY);
    while (running.step(Number.POSITIVE_INFINITY) > 0);
    running.commit();
  };
  const outputs = (log: MemoryLog): string[] => LINKER.outputs.flatMap((topic) => log.records(topic, 0).map(({ key, value, timestampMs }: LogRecord) => `${topic} ${timestampMs} ${key === null ? '-' : Buffer.from(key)} ${Buffer.from(value ?? []).toString('hex')}`));
  const changelogKeys = (log: MemoryLog): string[] => {
    const live = new Set<string>();
    for (const { key, value } of log.records(LINKER.changelog, 0)) {
      if (value === null) live.delete(Buffer.from(key ?? []).toString());
      else live.add(Buffer.from(key ?? []).toString());
    }
    return [...live].sort();
  };

  it('an older one is made anew from the inputs, and the outputs go on as if nothing had been', async () => {
    const straight = await prepared();
    drain(await task(straight, LINKER));
    for (const before of [1, 137]) {
      const log = await prepared();
      const older = await task(log, ofVersion(1));
      for (let input = 0; input < 2; input++) older.feed(input, Number.POSITIVE_INFINITY);
      older.step(before);
      older.commit();
      const newer = await task(log, ofVersion(2));
      expect(newer.committedIn('ws-gateway.position')).to.equal(0);
      drain(newer);
      expect(outputs(log), `after ${before}`).to.deep.equal(outputs(straight));
      expect(changelogKeys(log).filter((key) => !key.startsWith('#')).every((key) => key.startsWith('v2|'))).to.equal(true);
      const again = await task(log, ofVersion(2));
      drain(again);
      expect(outputs(log)).to.deep.equal(outputs(straight));
    }
  });

  it('a newer one is refused, with both versions and a way out', async () => {
    const log = await prepared();
    drain(await task(log, ofVersion(3)));
    expect(changelogKeys(log)).to.include(STATE_KEY);
    const error = await task(log, ofVersion(2)).then(() => null, (thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(StateVersionError);
    expect((error as Error).message).to.equal('the state of position-linker has version 3, this program knows 2: a newer one wrote it');
  });
});
