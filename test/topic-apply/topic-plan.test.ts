import { expect } from 'chai';
import { applyTopicPlan, planAgainst } from '../../src/topic-apply/apply-topics.js';
import { planDocument, planText } from '../../src/topic-apply/plan-text.js';
import { isDrift, isEmptyPlan, planTopics, type TopicPlan } from '../../src/topic-apply/topic-plan.js';
import type { Refusal } from '../../src/topic-apply/topic-rules.js';
import type { ClusterState, ExistingTopic, PlanChoices, WantedTopic } from '../../src/topic-apply/topic-state.js';

const topic = (name: string, rest: Partial<WantedTopic> = {}): WantedTopic => ({
  topic: name, family: 'desk.', place: 't.yaml:1:1', isKeyed: true, partitions: 12, replicationFactor: 1, configs: { 'retention.ms': '-1', 'cleanup.policy': 'delete' }, ...rest,
});
const existing = (name: string, rest: Partial<ExistingTopic> = {}): ExistingTopic => ({ topic: name, partitions: 12, replicationFactor: 1, configs: { 'retention.ms': '-1', 'cleanup.policy': 'delete' }, ...rest });
const cluster = (topics: readonly ExistingTopic[], rest: Partial<ClusterState> = {}): ClusterState => ({ clusterId: 'c', brokers: 1, defaults: {}, topics, undeclared: [], ...rest });
const plan = (wanted: readonly WantedTopic[], is: ClusterState | readonly ExistingTopic[], choices: Partial<PlanChoices> = {}): TopicPlan =>
  planTopics(wanted, 'brokers' in is ? is : cluster(is), { roles: [], allowRetentionCut: false, ...choices });
const only = ({ refusals }: TopicPlan): Refusal => {
  expect(refusals).to.have.length(1);
  return refusals[0] as Refusal;
};

describe('planTopics', () => {
  it('creates what is missing and leaves alone what is as declared, whatever else is set on it', () => {
    const is = existing('a', { configs: { 'retention.ms': '-1', 'cleanup.policy': 'delete', 'segment.bytes': '1' } });
    const made = plan([topic('a'), topic('b')], [is]);
    expect(made).to.deep.equal({ create: [topic('b')], grow: [], change: [], refusals: [], kept: [] });
    expect([isEmptyPlan(made), isDrift(made)]).to.deep.equal([false, false]);
    expect(isEmptyPlan(plan([topic('a')], [is]))).to.equal(true);
  });

  it('refuses another number of partitions in one line for all topics of that number, and says how to get there', () => {
    const { refusals } = plan([topic('a'), topic('b'), topic('c')], [existing('a', { partitions: 3 }), existing('b', { partitions: 3 }), existing('c', { partitions: 24 })]);
    expect(refusals.map(({ rule, topics }) => [rule, topics])).to.deep.equal([['partition-growth', ['a', 'b']], ['partition-shrink', ['c']]]);
    expect(refusals[0]?.message).to.match(/^2 topics \(a, …\) have 3 partitions, 12 are declared.*split an asset's history/);
    expect(refusals[0]?.safeWay).to.match(/--partitions 3;.*new topics and replay.*setup --namespace NEW --partitions 12/);
    expect(refusals[1]?.message).to.match(/^c has 24 partitions, 12 are declared/);
    const roles = [{ role: 'linker', topics: ['a', 'b'] }];
    const once = plan([topic('a'), topic('b')], [existing('a', { partitions: 3 })], { roles });
    expect([once.grow, once.refusals.map(({ rule }) => rule)]).to.deep.equal([[], ['partition-growth']]);
    expect(plan([topic('a'), topic('b')], [existing('a', { partitions: 24 })], { roles }).refusals.map(({ rule }) => rule)).to.deep.equal(['partition-shrink']);
  });

  it('grows a topic without keys', () => {
    const made = plan([topic('a', { isKeyed: false })], [existing('a', { partitions: 3 })]);
    expect(made).to.deep.include({ grow: [{ topic: 'a', from: 3, to: 12 }], refusals: [] });
    expect(isDrift(made)).to.equal(true);
    expect(only(plan([topic('a', { isKeyed: false })], [existing('a', { partitions: 24 })])).rule).to.equal('partition-shrink');
  });

  it('refuses roles whose topics differ in partitions', () => {
    const roles = [{ role: 'linker', topics: ['a', 'b', 'c'] }, { role: 'other', topics: ['c'] }];
    const refusal = only(plan([topic('a'), topic('b', { partitions: 6, place: 't.yaml:7:3' }), topic('c')], [existing('c')], { roles }));
    expect(refusal).to.include({ rule: 'co-partitioning', place: 't.yaml:7:3' });
    expect(refusal.message).to.include('linker works on partition p of all its topics at once, but b has 6 partitions and the others have 12');
  });

  it('refuses more replicas than brokers, and as many in sync as there are', () => {
    const three = topic('a', { replicationFactor: 3, configs: { 'min.insync.replicas': '2' } });
    expect(only(plan([three], cluster([], { brokers: 2 })))).to.include({ rule: 'replication-brokers', message: 'a wants replication 3, the cluster has 2 brokers' });
    expect(isEmptyPlan(plan([three], cluster([existing('a', { replicationFactor: 3, configs: three.configs })], { brokers: 2 })))).to.equal(true);
    expect(plan([three], cluster([], { brokers: 3 })).refusals).to.deep.equal([]);
    const unsaid = topic('a', { replicationFactor: 2, configs: {} });
    expect(only(plan([unsaid], cluster([], { brokers: 3, defaults: { 'min.insync.replicas': '2' } }))).rule).to.equal('min-insync');
    expect(only(plan([unsaid], cluster([existing('a', { replicationFactor: 2, configs: {}, defaults: { 'min.insync.replicas': '3' } })]))).message).to.include('nothing could be written');
    expect(only(plan([topic('a', { replicationFactor: 3 })], cluster([existing('a', { replicationFactor: 2 })], { brokers: 3 }))).rule).to.equal('replication-change');
  });

  it('refuses what would delete records or change what a topic means', () => {
    const refusal = (is: Record<string, string>, wanted: Record<string, string>, defaults: Record<string, string> = {}): string | undefined => {
      const made = plan([topic('a', { configs: wanted })], [existing('a', { configs: is, defaults })]);
      expect(made.change.length + made.refusals.length).to.equal(1);
      return made.refusals[0] && `[${made.refusals[0].rule}] ${made.refusals[0].message}`;
    };
    expect(refusal({ 'retention.ms': '-1' }, { 'retention.ms': '1000' })).to.equal('[retention-cut] a: retention.ms -1 → 1000 would delete records');
    expect(refusal({}, { 'retention.bytes': '1000' })).to.include('(default) → 1000');
    expect(refusal({ 'retention.ms': '2000' }, { 'retention.ms': '1000' })).to.include('2000 → 1000');
    expect(refusal({}, { 'retention.ms': '1000' }, { 'retention.ms': '604800000' })).to.include('(default) → 1000');
    expect(refusal({}, { 'retention.ms': '604800001' }, { 'retention.ms': '604800000' })).to.equal(undefined);
    expect(refusal({ 'cleanup.policy': 'delete' }, { 'cleanup.policy': 'compact' })).to.include('[cleanup-policy] a: cleanup.policy delete → compact');
    expect(refusal({ 'retention.ms': '1000' }, { 'retention.ms': '2000' })).to.equal(undefined);
    expect(refusal({ 'retention.ms': '1000' }, { 'retention.ms': '-1' })).to.equal(undefined);
    expect(refusal({}, { 'retention.ms': '-1' })).to.equal(undefined);
  });

  it('cuts retention where that was said', () => {
    const short = topic('a', { configs: { 'retention.ms': '1000' } });
    expect(plan([short], [existing('a', { configs: {} })], { allowRetentionCut: true })).to.deep.include({ refusals: [], change: [{ topic: 'a', name: 'retention.ms', from: null, to: '1000' }] });
    expect(only(plan([short], [])).message).to.include('end every rebuild there');
    expect(plan([short], [], { allowRetentionCut: true }).refusals).to.deep.equal([]);
    expect(plan([topic('a', { configs: { 'retention.ms': '1000', 'cleanup.policy': 'compact' } })], []).refusals).to.deep.equal([]);
  });

  it('reads as what will happen', () => {
    const made = plan([topic('a', { configs: { 'segment.bytes': '5' } }), topic('b')], cluster([existing('a', { configs: {} })], { undeclared: ['desk.old'] }));
    expect(planText(planDocument(made))).to.equal('create b (12 partitions, replication 1)\nchange a: segment.bytes (default) → 5\nkeep desk.old: nothing declares it, and topics are never deleted');
  });
});

describe('applyTopicPlan', () => {
  it('touches nothing if anything is refused', async () => {
    const calls: string[] = [];
    const admin = {
      clusterFacts: async () => ({ clusterId: 'c', brokers: 1, defaults: {} }),
      topicNames: async () => ['a', 'desk.old', 'elsewhere.b'],
      describe: async () => [{ ...existing('a', { partitions: 3 }), defaults: {} }],
      grow: async () => void calls.push('grow'),
      create: async () => void calls.push('create'),
      mergeConfigs: async () => void calls.push('change'),
    };
    const made = await planAgainst(admin, [topic('a'), topic('b')]);
    expect(made.create).to.have.length(1);
    expect(made.kept).to.deep.equal(['desk.old']);
    const error = await applyTopicPlan(admin, made).catch((caught: unknown) => caught as Error);
    expect(error).to.be.instanceOf(Error).with.property('message').that.includes('a has 3 partitions');
    expect(calls).to.deep.equal([]);
  });

  it('changes the settings of a topic in one go', async () => {
    const calls: unknown[] = [];
    const admin = { grow: async (name: string, to: number) => void calls.push([name, to]), create: async (topics: readonly WantedTopic[]) => void calls.push(topics.length), mergeConfigs: async (name: string, configs: object) => void calls.push([name, configs]) };
    await applyTopicPlan(admin, { create: [], grow: [{ topic: 'b', from: 1, to: 2 }], refusals: [], change: [{ topic: 'a', name: 'x', from: null, to: '1' }, { topic: 'a', name: 'y', from: '0', to: '2' }] });
    expect(calls).to.deep.equal([0, ['b', 2], ['a', { x: '1', y: '2' }]]);
  });
});
