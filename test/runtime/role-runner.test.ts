import { expect } from 'chai';
import { FencedError, StateLostError, TransientError } from '../../src/kafka/errors.js';
import type { MemoryLog } from '../../src/runtime/memory-log.js';
import { RoleRunner, type RoleOptions } from '../../src/runtime/role-runner.js';
import { outputs, PARTITIONS, session, SETTINGS, silent, straight, toyLog, until } from './toy-session.js';
import { toyCodec, toyRecord, toyTopology, toyWatermark } from './toy.js';

function run(log: MemoryLog, more: Partial<RoleOptions> = {}): RoleRunner {
  const runner = new RoleRunner({
    topology: toyTopology,
    log,
    codec: { ...toyCodec, learn: () => null },
    namespace: null,
    settings: SETTINGS,
    commitIntervalMs: 3,
    logger: silent,
    pauseMs: () => 1,
    ...more,
  });
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

describe('role runner', () => {
  afterEach(stopAll);

  it('does the work of all its partitions, and commits what it took when it is stopped', async () => {
    const log = toyLog(session());
    const expected = straight(session());
    const runner = run(log, { commitIntervalMs: 60_000 });
    // The first commit comes at once; the rest waits for an interval that never ends.
    await until(() => log.records('toy.out', 2).length > 0);
    const before = outputs(log).length;
    await new Promise((resolve) => setTimeout(resolve, 20));
    runner.stop();
    expect(await runner.finished).to.deep.equal({ kind: 'stopped' });
    expect(outputs(log)).to.deep.equal(expected);
    expect(before).to.be.at.most(expected.length);
  });

  it('goes on with what comes later', async () => {
    const [first, second] = [session().slice(0, 100), session().slice(100)];
    const log = toyLog(first);
    const runner = run(log);
    await until(() => log.records('toy.out', 0).length > 5);
    log.append(second);
    await until(() => outputs(log).length === straight(session()).length);
    runner.stop();
    await runner.finished;
    expect(outputs(log)).to.deep.equal(straight(session()));
  });

  const steps = ['init', 'send', 'commit', 'committed'] as const;
  for (const broken of steps) {
    it(`loses and doubles nothing when ${broken} fails, whichever time it is`, async () => {
      const expected = straight(session());
      for (let time = 1; time <= 9; time += 2) {
        let seen = 0;
        let failures = 0;
        const log = toyLog([], {
          onWriterStep: (step) => {
            if (step !== broken || ++seen % 4 !== time % 4 || failures >= time) return;
            failures++;
            throw new TransientError(`${step} failed on purpose`);
          },
        });
        const runner = run(log);
        const records = session();
        for (let start = 0; start < records.length; start += 25) {
          log.append(records.slice(start, start + 25));
          await new Promise((resolve) => setTimeout(resolve, 4));
        }
        await until(() => outputs(log).length >= expected.length);
        runner.stop();
        expect(await runner.finished).to.deep.equal({ kind: 'stopped' });
        expect(outputs(log)).to.deep.equal(expected);
        expect(failures).to.be.greaterThan(0);
      }
    });
  }

  it('shares the tasks with other members that come and go', async () => {
    const expected = straight(session());
    const log = toyLog([]);
    const first = run(log);
    const records = session();
    let second: RoleRunner | null = null;
    for (let start = 0; start < records.length; start += 20) {
      log.append(records.slice(start, start + 20));
      await new Promise((resolve) => setTimeout(resolve, 8));
      if (second === null) second = run(log);
      else {
        second.stop();
        await second.finished;
        second = null;
      }
    }
    await until(() => outputs(log).length >= expected.length);
    for (const runner of [first, second]) {
      runner?.stop();
      await runner?.finished;
    }
    expect(outputs(log)).to.deep.equal(expected);
  });

  it('starts a crashed task again after pauses that grow until it has committed, and the others go on meanwhile', async () => {
    const lives: number[] = [];
    let failures = 0;
    const log = toyLog(session(), {
      onWriterStep: (step, id) => {
        if (id !== 'toy.1' || step !== 'commit' || failures >= 4) return;
        failures++;
        throw new TransientError('the commit failed on purpose');
      },
    });
    const runner = run(log, { pauseMs: (count) => (lives.push(count), 1) });
    await until(() => outputs(log).length === straight(session()).length);
    runner.stop();
    expect(await runner.finished).to.deep.equal({ kind: 'stopped' });
    expect(outputs(log)).to.deep.equal(straight(session()));
    expect(lives).to.deep.equal([0, 1, 2, 3]);
  });

  it('takes a task again after being fenced only if the group says it is its own', async () => {
    const log = toyLog(session());
    const owned: number[] = [];
    const join = log.join.bind(log);
    log.join = async (options) => {
      const member = await join(options);
      return { ...member, owns: async (task) => (owned.push(task), task !== 1) };
    };
    const runner = run(log);
    await until(() => outputs(log).length === straight(session()).length);
    for (let partition = 0; partition < PARTITIONS; partition++) await log.writer(`toy.${partition}`).init();
    log.append(Array.from({ length: PARTITIONS }, (_, partition) => ['toy.left', 'toy.right'].map((topic) => toyWatermark(topic, 2_000, partition))).flat());
    await until(() => [0, 2].every((partition) => log.records('toy.out', partition).at(-1)?.timestampMs === 2_000));
    runner.stop();
    expect(await runner.finished).to.deep.equal({ kind: 'stopped' });
    expect([...owned].sort()).to.deep.equal([0, 1, 2]);
    expect(log.records('toy.out', 1).at(-1)?.timestampMs).to.equal(1_000);
  });

  it('puts a record that breaks the processor aside and goes on', async () => {
    const log = toyLog([...session(), toyRecord('toy.left', 'A', 1_500, 'throw', 1), toyRecord('toy.left', 'A', 1_600, '', 1), toyWatermark('toy.right', 2_000, 1)]);
    const runner = run(log);
    await until(() => log.records('toy.out', 1).some(({ timestampMs }) => timestampMs === 1_600));
    runner.stop();
    await runner.finished;
    const letters = log.records('toy.left.dead_letters', 1);
    expect(Buffer.from(letters.at(-1)?.value ?? '').toString('utf8')).to.contain('throw');
  });

  it('waits for a registry that does not answer', async () => {
    const log = toyLog(session());
    let refusals = 5;
    const runner = run(log, { codec: { ...toyCodec, learn: () => (refusals-- > 0 ? Promise.reject(new Error('no registry')) : null) } });
    await until(() => outputs(log).length === straight(session()).length);
    runner.stop();
    await runner.finished;
    expect(outputs(log)).to.deep.equal(straight(session()));
    expect(refusals).to.be.lessThan(0);
  });

  it('reads on after polls that failed, also after one that names a partition', async () => {
    const log = toyLog([]);
    const reader = log.reader.bind(log);
    let polls = 0;
    log.reader = () => {
      const made = reader();
      const poll = made.poll.bind(made);
      made.poll = (maxWaitMs) => {
        polls++;
        if (polls % 3 === 1 && polls < 20) return Promise.reject(new TransientError('no connection', polls % 2 === 0 ? {} : { topic: 'toy.left', partition: 1 }));
        return poll(maxWaitMs);
      };
      return made;
    };
    const runner = run(log);
    const records = session();
    for (let start = 0; start < records.length; start += 20) {
      log.append(records.slice(start, start + 20));
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
    await until(() => outputs(log).length === straight(session()).length);
    runner.stop();
    expect(await runner.finished).to.deep.equal({ kind: 'stopped' });
    expect(outputs(log)).to.deep.equal(straight(session()));
    expect(polls).to.be.greaterThan(7);
  });

  it('pauses an input that is far ahead, and reads it on when the other has caught up', async () => {
    const right = session().filter(({ topic }) => topic === 'toy.right');
    const left = session().filter(({ topic }) => topic === 'toy.left');
    const log = toyLog(right);
    let paused = 0;
    const reader = log.reader.bind(log);
    log.reader = () => {
      const made = reader();
      const pause = made.pause.bind(made);
      made.pause = (partitions) => {
        paused += partitions.length;
        pause(partitions);
      };
      return made;
    };
    const runner = run(log, { maxBufferedRecords: 4 });
    await until(() => paused >= PARTITIONS);
    log.append(left);
    await until(() => outputs(log).length === straight(session()).length);
    runner.stop();
    await runner.finished;
    expect(outputs(log)).to.deep.equal(straight(session()));
  });
});

describe('role runner, what cannot be mended', () => {
  afterEach(stopAll);

  it('ends with the reason when the settings differ', async () => {
    const log = toyLog(session());
    const first = run(log);
    await until(() => outputs(log).length > 5);
    first.stop();
    await first.finished;
    const outcome = await run(log, { settings: { policy: 'fifo' } }).finished;
    expect(outcome.kind === 'failed' && outcome.error.message).to.contain('policy is pro-rata in the state and fifo in this start');
  });

  it('ends when somebody moved the offsets past the state', async () => {
    const log = toyLog(session());
    const first = run(log);
    await until(() => outputs(log).length === straight(session()).length);
    first.stop();
    await first.finished;
    log.commitTransaction([], 'toy', [{ topic: 'toy.left', partition: 0, offset: 1_000 }]);
    const outcome = await run(log).finished;
    expect(outcome.kind === 'failed' && outcome.error).to.be.instanceOf(StateLostError);
    expect(outcome.kind === 'failed' && outcome.error.message).to.contain('stands at offset 1000 of toy.left/0');
  });

  it('goes on where its state stands when the group shows older offsets, or none, and sets them right', async () => {
    for (const shown of [1, null]) {
      const log = toyLog(session());
      const first = run(log);
      await until(() => outputs(log).length === straight(session()).length);
      first.stop();
      await first.finished;
      const place = { topic: 'toy.left', partition: 0 };
      const reached = log.committedOffset('toy', place);
      expect(reached).to.be.greaterThan(1);
      if (shown === null) log.forgetGroup('toy');
      else log.commitTransaction([], 'toy', [{ ...place, offset: shown }]);
      const second = run(log);
      await until(() => log.committedOffset('toy', place) === reached);
      second.stop();
      expect(await second.finished).to.deep.equal({ kind: 'stopped' });
      expect(outputs(log)).to.deep.equal(straight(session()));
    }
  });

  it('gives up after several lives without a commit for a reason nobody knows', async () => {
    let lives = 0;
    const log = toyLog(session(), {
      onWriterStep: (step) => {
        if (step !== 'send') return;
        lives++;
        throw new Error('something odd');
      },
    });
    const outcome = await run(log, { commitIntervalMs: 1 }).finished;
    expect(outcome.kind === 'failed' && outcome.error.message).to.equal('something odd');
    expect(lives).to.be.greaterThan(4);
  });

  it('joins again after losing its membership, without harm', async () => {
    const log = toyLog(session().slice(0, 60));
    const join = log.join.bind(log);
    let lose: ((error: Error) => void) | null = null;
    let leave: (() => Promise<void>) | null = null;
    let joins = 0;
    log.join = async (options) => {
      joins++;
      lose = options.onFailure;
      const member = await join(options);
      leave = member.leave;
      return member;
    };
    const runner = run(log);
    await until(() => log.records('toy.out', 0).length > 0);
    await (leave as unknown as () => Promise<void>)();
    (lose as unknown as (error: Error) => void)(new FencedError('the group forgot this member'));
    log.append(session().slice(60));
    await until(() => outputs(log).length === straight(session()).length);
    runner.stop();
    expect(await runner.finished).to.deep.equal({ kind: 'stopped' });
    expect(outputs(log)).to.deep.equal(straight(session()));
    expect(joins).to.equal(2);
  });
});
