import { expect } from 'chai';
import { applyTopicPlan, planAgainst } from '../../src/topic-apply/apply-topics.js';
import { isEmptyPlan, planText, planTopics, type WantedTopic } from '../../src/topic-apply/topic-plan.js';

const topic = (name: string, rest: Partial<WantedTopic> = {}): WantedTopic => ({ topic: name, partitions: 12, replicationFactor: 1, configs: { 'retention.ms': '-1', 'cleanup.policy': 'delete' }, ...rest });

describe('planTopics', () => {
  it('creates what is missing and leaves alone what is as declared, whatever else is set on it', () => {
    const existing = topic('a', { configs: { 'retention.ms': '-1', 'cleanup.policy': 'delete', 'segment.bytes': '1' } });
    const plan = planTopics([topic('a'), topic('b')], [existing, topic('other')]);
    expect(plan).to.deep.equal({ create: [topic('b')], change: [], refusals: [] });
    expect(isEmptyPlan(planTopics([topic('a')], [existing]))).to.equal(true);
  });

  it('refuses another number of partitions in one line for all topics of that number, growth included', () => {
    const plan = planTopics([topic('a'), topic('b'), topic('c')], [topic('a', { partitions: 3 }), topic('b', { partitions: 3 }), topic('c', { partitions: 24 })]);
    expect(plan.refusals).to.have.length(2);
    expect(plan.refusals[0]).to.match(/^2 topics \(a, …\) have 3 partitions, 12 are declared.*--partitions 3/);
    expect(plan.refusals[1]).to.match(/^c has 24 partitions, 12 are declared/);
  });

  it('refuses what would delete records or change what a topic means', () => {
    const refusal = (is: Record<string, string>, wanted: Record<string, string>): string | undefined => planTopics([topic('a', { configs: wanted })], [topic('a', { configs: is })]).refusals[0];
    expect(refusal({ 'retention.ms': '-1' }, { 'retention.ms': '1000' })).to.include('retention.ms -1 → 1000 would delete records');
    expect(refusal({}, { 'retention.bytes': '1000' })).to.include('(default) → 1000');
    expect(refusal({ 'retention.ms': '2000' }, { 'retention.ms': '1000' })).to.include('2000 → 1000');
    expect(refusal({ 'cleanup.policy': 'delete' }, { 'cleanup.policy': 'compact' })).to.include('cleanup.policy delete → compact');
    expect(refusal({ 'retention.ms': '1000' }, { 'retention.ms': '2000' })).to.equal(undefined);
    expect(refusal({ 'retention.ms': '1000' }, { 'retention.ms': '-1' })).to.equal(undefined);
    expect(refusal({}, { 'retention.ms': '-1' })).to.equal(undefined);
    expect(planTopics([topic('a', { replicationFactor: 3 })], [topic('a')]).refusals[0]).to.include('replication 1, 3 is declared');
  });

  it('reads as what will happen', () => {
    const plan = planTopics([topic('a', { configs: { 'segment.bytes': '5' } }), topic('b')], [topic('a', { configs: {} })]);
    expect(planText(plan)).to.equal('create b (12 partitions, replication 1)\nchange a: segment.bytes (default) → 5');
  });
});

describe('applyTopicPlan', () => {
  it('touches nothing if anything is refused', async () => {
    const calls: string[] = [];
    const admin = {
      describe: async () => [topic('a', { partitions: 3 })],
      create: async () => void calls.push('create'),
      mergeConfigs: async () => void calls.push('change'),
    };
    const plan = await planAgainst(admin, [topic('a'), topic('b')]);
    expect(plan.create).to.have.length(1);
    const error = await applyTopicPlan(admin, plan).catch((caught: unknown) => caught as Error);
    expect(error).to.be.instanceOf(Error).with.property('message').that.includes('a has 3 partitions');
    expect(calls).to.deep.equal([]);
  });

  it('changes the settings of a topic in one go', async () => {
    const calls: unknown[] = [];
    const admin = { create: async (topics: readonly WantedTopic[]) => void calls.push(topics.length), mergeConfigs: async (name: string, configs: object) => void calls.push([name, configs]) };
    await applyTopicPlan(admin, { create: [], refusals: [], change: [{ topic: 'a', name: 'x', from: null, to: '1' }, { topic: 'a', name: 'y', from: '0', to: '2' }] });
    expect(calls).to.deep.equal([0, ['a', { x: '1', y: '2' }]]);
  });
});
