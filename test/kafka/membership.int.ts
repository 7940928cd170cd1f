import { expect } from 'chai';
import kafkajs from 'kafkajs';
import { ConfigurationError } from '../../src/kafka/errors.js';
import { GroupMembership } from '../../src/kafka/group-membership.js';
import { Cluster } from '../../src/kafka/cluster.js';
import type { Assignment, GroupMember } from '../../src/kafka/log.js';
import { APIS } from '../../src/kafka/protocol/request.js';
import { FaultProxy } from './fault-proxy.js';
import { LiveKafka, until } from './live.js';

interface Member {
  readonly membership: GroupMember;
  readonly assignments: Assignment[];
  readonly failures: Error[];
  tasks(): readonly number[];
}

describe('group membership on a broker', function () {
  this.timeout(120_000);
  const kafka = new LiveKafka();
  const clusters: Cluster[] = [];
  const members: Member[] = [];
  const proxies: FaultProxy[] = [];

  afterEach(async () => {
    await Promise.all(members.splice(0).map(({ membership }) => membership.leave()));
  });
  after(async () => {
    for (const cluster of clusters) cluster.close();
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await kafka.cleanUp();
  });

  /** Each on connections of its own, as if in a process of its own. */
  function join(groupId: string, topics: readonly string[], proxy?: FaultProxy, sessionTimeoutMs = 6_000): Member {
    const cluster = new Cluster({ brokers: kafka.brokers, clientId: 'test', requestTimeoutMs: 1_000, ...(proxy && { reach: proxy.reach }) });
    clusters.push(cluster);
    const assignments: Assignment[] = [];
    const failures: Error[] = [];
    const membership = new GroupMembership(cluster, 'group', {
      groupId,
      topics,
      sessionTimeoutMs,
      rebalanceTimeoutMs: 10_000,
      heartbeatIntervalMs: 200,
      onAssignment: (assignment) => assignments.push(assignment),
      onFailure: (error) => failures.push(error),
    });
    const member = { membership, assignments, failures, tasks: () => assignments.at(-1)?.tasks ?? [] };
    members.push(member);
    return member;
  }

  const all = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  const taskSum = (group: readonly Member[]): number[] => group.flatMap((member) => [...member.tasks()]).sort((a, b) => a - b);
  const isSpread = (group: readonly Member[], count: number, largest: number) => () =>
    JSON.stringify(taskSum(group)) === JSON.stringify(all(count)) && group.every((member) => member.tasks().length <= largest);

  it('deals out tasks, moves few when members come and go, and says what was gained and lost', async () => {
    const topics = [await kafka.topic(12), await kafka.topic(12)];
    const group = kafka.name('group');
    const first = join(group, topics);
    await until('the first member having all', isSpread([first], 12, 12));
    expect(first.assignments).to.have.length(1);
    expect(first.assignments[0]!.gained).to.deep.equal(all(12));

    const second = join(group, topics);
    await until('the second member having half', isSpread([first, second], 12, 6));
    const kept = first.assignments.at(-1)!;
    expect(kept.gained).to.deep.equal([]);
    expect(kept.lost).to.deep.equal(second.tasks());

    const third = join(group, topics);
    await until('a third each', isSpread([first, second, third], 12, 4));
    for (const member of [first, second]) expect(member.assignments.at(-1)!.gained).to.deep.equal([]);

    const startMs = performance.now();
    await second.membership.leave();
    const before = first.tasks();
    await until('the tasks of the one that left', isSpread([first, third], 12, 6));
    console.log(`      taken over ${(performance.now() - startMs).toFixed(0)} ms after leaving`);
    expect(first.tasks()).to.include.members([...before]);
    expect(second.assignments).to.have.length(2);
    expect(await second.membership.owns(0)).to.equal(false);
  });

  it('shows every tool who owns what', async () => {
    const topic = await kafka.topic(4);
    const group = kafka.name('group');
    const member = join(group, [topic]);
    await until('the assignment', isSpread([member], 4, 4));
    const admin = new kafkajs.Kafka({ brokers: [...kafka.brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    const { groups } = await admin.describeGroups([group]);
    await admin.disconnect();
    const { assignment } = kafkajs.AssignerProtocol.MemberAssignment.decode(groups[0]!.members[0]!.memberAssignment)!;
    expect(assignment).to.deep.equal({ [topic]: [0, 1, 2, 3] });
  });

  it('tells from the group, not from memory, whether a task is owned', async () => {
    const topic = await kafka.topic(4);
    const group = kafka.name('group');
    const first = join(group, [topic]);
    expect(await first.membership.owns(3)).to.equal(true); // asked before there was an assignment
    expect(await first.membership.owns(9)).to.equal(false);
    const second = join(group, [topic]);
    await until('halves', isSpread([first, second], 4, 2));
    for (const task of all(4)) {
      const [byFirst, bySecond] = await Promise.all([first.membership.owns(task), second.membership.owns(task)]);
      expect([byFirst, bySecond].filter(Boolean), `task ${task}`).to.have.length(1);
    }
  });

  it('loses everything when the group gave it up, and comes back', async () => {
    const topic = await kafka.topic(4);
    const group = kafka.name('group');
    const proxy = new FaultProxy();
    proxies.push(proxy);
    for (const broker of kafka.brokers) await proxy.open({ host: broker.split(':')[0]!, port: Number(broker.split(':')[1]) });
    const cutOff = join(group, [topic], proxy, 6_000);
    await until('the assignment', isSpread([cutOff], 4, 4));
    const heir = join(group, [topic]);
    await until('halves', isSpread([cutOff, heir], 4, 2));
    const stillOwned = cutOff.tasks()[0]!;

    proxy.pause();
    const owned = cutOff.membership.owns(stillOwned);
    await until('the heir having all', () => heir.tasks().length === 4);
    proxy.resume();
    expect(cutOff.tasks(), 'told nothing yet').to.have.length(2);
    await until('halves again', isSpread([cutOff, heir], 4, 2));
    await owned;
    expect(cutOff.assignments.some(({ tasks, lost }) => tasks.length === 0 && lost.length === 2)).to.equal(true);
    expect(cutOff.failures.concat(heir.failures)).to.deep.equal([]);
  });

  it('survives connections cut at any of its requests', async () => {
    const topic = await kafka.topic(4);
    for (const step of ['joinGroup', 'syncGroup', 'heartbeat'] as const) {
      for (const cut of ['before-request', 'before-answer'] as const) {
        const group = kafka.name('group');
        const proxy = new FaultProxy();
        proxies.push(proxy);
        for (const broker of kafka.brokers) await proxy.open({ host: broker.split(':')[0]!, port: Number(broker.split(':')[1]) });
        proxy.arm(APIS[step].key, cut);
        const member = join(group, [topic], proxy);
        await until(`an assignment after a cut at ${step} ${cut}`, isSpread([member], 4, 4));
        expect(await member.membership.owns(1)).to.equal(true);
        await until('the cut', () => proxy.cuts === 1);
        await member.membership.leave();
      }
    }
  });

  it('fails for good when the input topics do not match', async () => {
    const topics = [await kafka.topic(2), await kafka.topic(3)];
    const member = join(kafka.name('group'), topics);
    await until('the failure', () => member.failures.length === 1);
    expect(member.failures[0]).to.be.instanceOf(ConfigurationError).with.property('message').that.includes('number of partitions');
    expect(await member.membership.owns(0)).to.equal(false);
  });
});
