import { expect } from 'chai';
import { ConfigurationError, TransientError } from '../../src/kafka/errors.js';
import type { TopicPartitionOffset } from '../../src/kafka/log.js';
import { drained, partitionedStage, type DrainReport } from '../../src/runtime/drain.js';
import type { MemoryLog } from '../../src/runtime/memory-log.js';
import { roleDrain } from '../../src/runtime/role-drain.js';
import { RoleRunner } from '../../src/runtime/role-runner.js';
import { outputs, PARTITIONS, session, SETTINGS, silent, straight, toyLog, until } from './toy-session.js';
import { toyCodec, toyRecord, toyTopology } from './toy.js';

const codec = { ...toyCodec, learn: () => null };
const never = new AbortController().signal;

function drain(log: MemoryLog, signal: AbortSignal = never, onWaiting?: (stage: string, remaining: string) => void): Promise<DrainReport | null> {
  const stage = roleDrain({ topology: toyTopology, log, codec, namespace: null });
  return drained({ log, stages: [stage], signal, ...(onWaiting === undefined ? {} : { onWaiting }) });
}

function run(log: MemoryLog): RoleRunner {
  const runner = new RoleRunner({ topology: toyTopology, log, codec, namespace: null, settings: SETTINGS, commitIntervalMs: 20, logger: silent, pauseMs: () => 1 });
  runner.start();
  running.push(runner);
  return runner;
}

const running: RoleRunner[] = [];
async function stopAll(): Promise<void> {
  for (const runner of running.splice(0)) {
    runner.stop();
    await runner.finished;
  }
}

describe('drain', () => {
  afterEach(stopAll);

  it('ends when the group has done everything, and not before', async () => {
    const log = toyLog(session());
    let report: DrainReport | null | undefined;
    const waiting = drain(log).then((ended) => (report = ended));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(report).to.equal(undefined);
    run(log);
    await waiting;
    expect(report).to.deep.equal({ heldRecords: 0 });
    expect(outputs(log)).to.deep.equal(straight(session()));
  });

  it('counts what waits for a watermark, and does not wait for it', async () => {
    const held = Array.from({ length: PARTITIONS }, (_, partition) => [1_100, 1_200].map((ms) => toyRecord('toy.left', 'A', ms, '', partition))).flat();
    const log = toyLog([...session(), ...held]);
    run(log);
    expect(await drain(log)).to.deep.equal({ heldRecords: 2 * PARTITIONS });
  });

  it('ends at once on topics that hold nothing', async () => {
    expect(await drain(toyLog([]))).to.deep.equal({ heldRecords: 0 });
  });

  it('holds records of a log without any watermark for waiting, even if nobody runs', async () => {
    expect(await drain(toyLog([toyRecord('toy.left', 'A', 5)]))).to.deep.equal({ heldRecords: 1 });
  });

  it('gives up when told to', async () => {
    const stopping = new AbortController();
    setTimeout(() => stopping.abort(), 100);
    expect(await drain(toyLog(session()), stopping.signal)).to.equal(null);
  });

  it('waits until what a stage wrote is decided in every partition, then takes it for the next stage', async () => {
    const log = toyLog(session());
    let undecided = 4;
    const stable = log.lastStableOffsets.bind(log);
    log.lastStableOffsets = async (partitions) => {
      const ends = await stable(partitions);
      return partitions[0]?.topic === 'toy.out' && undecided-- > 0 ? ends.map((end) => ({ ...end, offset: end.offset - 1 })) : ends;
    };
    const seen: (readonly TopicPartitionOffset[])[] = [];
    const second = partitionedStage({
      name: 'second',
      inputs: ['toy.out'],
      outputs: [],
      positions: async (targets) => (seen.push(targets), targets.map(({ offset }) => offset)),
      look: async () => null,
    });
    run(log);
    const first = roleDrain({ topology: toyTopology, log, codec, namespace: null });
    expect(await drained({ log, stages: [first, second], signal: never })).to.deep.equal({ heldRecords: 0 });
    expect(seen[0]).to.deep.equal(Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: 'toy.out', partition, offset: log.end('toy.out', partition) })));
    expect(undecided).to.be.lessThan(0);
  });

  it('outlives a look that fails for the moment, and says what it waits for; any other failure ends it', async () => {
    let looks = 0;
    const stage = (failure: Error) => ({
      name: 'toy', inputs: [], outputs: [],
      progress: async () => {
        if (++looks <= 2) throw failure;
        return { isDone: true, held: [], remaining: null };
      },
    });
    const log = toyLog([]);
    expect(await drained({ log, stages: [stage(new TransientError('UNSTABLE_OFFSET_COMMIT'))], signal: never })).to.deep.equal({ heldRecords: 0 });
    expect(looks).to.equal(3);
    looks = 0;
    const failed = await drained({ log, stages: [stage(new ConfigurationError('no such topic'))], signal: never }).catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(ConfigurationError);
  });

  it('looks closer only at partitions that stand still', async () => {
    let looks = 0;
    let position = 0;
    const stage = partitionedStage({
      name: 'slow',
      inputs: ['toy.out'],
      outputs: [],
      positions: async () => [Math.min(position++, 20)],
      look: async () => (looks++, null),
    });
    const target = [{ topic: 'toy.out', partition: 0, offset: 30 }];
    for (let round = 0; round < 20; round++) expect((await stage.progress(target)).isDone).to.equal(false);
    expect(looks).to.equal(0);
    await until(() => true);
    for (let round = 0; round < 10; round++) await stage.progress(target);
    expect(looks).to.be.greaterThan(1);
  });
});
