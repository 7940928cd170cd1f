import { expect } from 'chai';
import fc from 'fast-check';
import { declaredTopics, wantedTopics } from '../../src/topic-apply/declared-topics.js';
import { planDocument } from '../../src/topic-apply/plan-text.js';
import { movedSince, readSavedPlan, savedPlanText } from '../../src/topic-apply/saved-plan.js';
import { differenceText, topicDifferences } from '../../src/topic-apply/topic-diff.js';
import { topicsFileText, type ExportedTopic } from '../../src/topic-apply/topic-export.js';
import { isEmptyPlan, planTopics } from '../../src/topic-apply/topic-plan.js';
import { parseTopicsFile } from '../../src/topic-apply/topics-file.js';
import type { ClusterState, ExistingTopic } from '../../src/topic-apply/topic-state.js';

const CHOICES = { roles: [], allowRetentionCut: false };
const cluster = (topics: readonly ExistingTopic[], rest: Partial<ClusterState> = {}): ClusterState => ({ clusterId: 'c', brokers: 3, defaults: {}, topics, undeclared: [], ...rest });
const declarations = declaredTopics();
const asDeclared: readonly ExistingTopic[] = wantedTopics('n', declarations).map(({ topic, partitions, replicationFactor, configs }) => ({ topic, partitions, replicationFactor, configs }));

describe('differences of the file and a cluster', () => {
  it('are none where all is as declared', () => {
    expect(topicDifferences(wantedTopics('n', declarations), cluster(asDeclared))).to.deep.equal([]);
  });

  it('are named one by one, what only the cluster has included', () => {
    const [first, second, ...rest] = asDeclared as [ExistingTopic, ExistingTopic, ...ExistingTopic[]];
    const moved = cluster([{ ...second, partitions: 3, configs: { ...second.configs, 'retention.ms': '5', 'segment.ms': '9' } }, ...rest], { undeclared: ['n.ws-gateway.old'] });
    expect(differenceText(topicDifferences(wantedTopics('n', declarations), moved)).split('\n')).to.deep.equal([
      `${first.topic}: declared, not in the cluster`,
      `${second.topic}: partitions is 3, declared is 12`,
      `${second.topic}: retention.ms is 5, declared is -1`,
      `${second.topic}: segment.ms is 9, declared is nothing`,
      'n.ws-gateway.old: in the cluster, not declared',
    ]);
  });
});

describe('an exported topics file', () => {
  const exported = (topics: readonly ExistingTopic[]): ExportedTopic[] => topics.map((topic) => ({ ...topic, name: topic.topic.slice(2) }));

  it('says what the declarations said', () => {
    const again = parseTopicsFile('e.yaml', topicsFileText(exported(asDeclared), declarations), { environment: null, partitions: null });
    expect(again.map(({ place: _place, ...topic }) => topic)).to.deep.equal(declarations.map(({ place: _place, ...topic }) => topic));
  });

  it('plans to nothing against the cluster it was taken from, whatever that holds', () => {
    const settings = fc.dictionary(fc.constantFrom('segment.ms', 'retention.bytes', 'min.compaction.lag.ms'), fc.constantFrom('1', '7', '9223372036854775807'));
    const topics = fc.uniqueArray(fc.record({ topic: fc.constantFrom('n.ws-gateway.order', 'n.position-manager.positions', 'n.x', 'n.y.z', 'n.A_b'), partitions: fc.integer({ min: 1, max: 3 }), replicationFactor: fc.integer({ min: 1, max: 2 }), configs: settings }), { selector: ({ topic }) => topic, minLength: 1 });
    fc.assert(fc.property(topics, (found) => {
      const again = parseTopicsFile('e.yaml', topicsFileText(exported(found), declarations), { environment: null, partitions: null });
      expect(isEmptyPlan(planTopics(wantedTopics('n', again), cluster(found), CHOICES))).to.equal(true);
      expect(topicDifferences(wantedTopics('n', again), cluster(found))).to.deep.equal([]);
    }), { numRuns: 25 });
  });
});

describe('a saved plan', () => {
  it('is read as it was saved, and nothing else is taken for one', () => {
    const basis = cluster(asDeclared.slice(1));
    const plan = planTopics(wantedTopics('n', declarations), basis, CHOICES);
    const read = readSavedPlan('p.json', savedPlanText(plan, basis));
    expect(read).to.deep.include({ basis, document: planDocument(plan) });
    expect(read.plan.create).to.deep.equal([asDeclared[0]]);
    const { form, ...rest } = JSON.parse(savedPlanText(plan, basis)) as Record<string, unknown>;
    for (const other of ['', '{}', 'null', JSON.stringify({ form: 'something else', ...rest }), JSON.stringify({ form }), JSON.stringify({ form, ...rest, basis: null })]) {
      expect(() => readSavedPlan('p.json', other), other).to.throw('is no saved plan');
    }
  });

  it('notices every way in which a cluster can move', () => {
    const [first, second] = asDeclared as [ExistingTopic, ExistingTopic];
    const before = cluster([first]);
    expect(movedSince(before, cluster([{ ...first, configs: { ...first.configs } }]))).to.deep.equal([]);
    expect(movedSince(before, cluster([first, second]))).to.deep.equal([`${second.topic} is there now`]);
    expect(movedSince(before, cluster([]))).to.deep.equal([`${first.topic} is gone`]);
    expect(movedSince(before, cluster([first], { brokers: 2 }))).to.deep.equal(['2 brokers, there were 3']);
    expect(movedSince(before, cluster([first], { clusterId: 'd' }))[0]).to.include('this is cluster d');
    expect(movedSince(before, cluster([first], { defaults: { 'min.insync.replicas': '2' } }))).to.have.length(1);
    expect(movedSince(before, cluster([{ ...first, partitions: 24, replicationFactor: 2, configs: { ...first.configs, 'retention.ms': '5' } }]))).to.deep.equal([
      `${first.topic} has 24 partitions, it had 12`,
      `${first.topic} has replication 2, it had 1`,
      `${first.topic}: retention.ms is 5, it was -1`,
    ]);
  });
});
