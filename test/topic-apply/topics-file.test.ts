import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import { deadLetterTopic } from '../../src/config/namespace.js';
import { RECORD_NAMES } from '../../src/domain/records.js';
import { declaredTopics, wantedTopics } from '../../src/topic-apply/declared-topics.js';
import { parseTopicsFile, type TopicDeclaration } from '../../src/topic-apply/topics-file.js';
import { YamlFileError } from '../../src/topic-apply/yaml-reader.js';

const NONE = { environment: null, partitions: null };

const GOOD = `defaults:
  partitions: 12
  replication: 1
  config:
    retention.ms: -1
kinds:
  events: { cleanup.policy: delete }
  compacted: { cleanup.policy: compact }
  dead_letters: { cleanup.policy: delete }
environments:
  production:
    replication: 3
    config: { min.insync.replicas: 2 }
topics:
  desk.order:
    kind: events
    owner: desk
    description: Orders.
    key: asset
    records: [Order, Watermark]
`;

function problems(text: string, choices: Parameters<typeof parseTopicsFile>[2] = NONE): readonly string[] {
  try {
    parseTopicsFile('t.yaml', text, choices);
  } catch (error) {
    if (error instanceof YamlFileError) return error.problems;
    throw error;
  }
  return [];
}

describe('a topics file', () => {
  it('merges defaults, kind, environment and topic, the later over the earlier', () => {
    const [topic] = parseTopicsFile('t.yaml', `${GOOD}    config: { retention.ms: 5 }\n`, { environment: 'production', partitions: 3 });
    expect(topic).to.deep.include({ name: 'desk.order', partitions: 3, replication: 3, records: ['Order', 'Watermark'] });
    expect(topic?.config).to.deep.equal({ 'retention.ms': '5', 'cleanup.policy': 'delete', 'min.insync.replicas': '2' });
  });

  const cases: readonly (readonly [what: string, from: string, to: string, problem: string])[] = [
    ['a key that is not known', 'owner: desk', 'owner: desk\n    retention: 5', 't.yaml:18:5: topic desk.order has no "retention"; it has kind, owner'],
    ['a kind that is not known', 'kind: events', 'kind: event', 't.yaml:16:11: topic desk.order: there is no kind event'],
    ['a record that is not known', 'Order, Water', 'Ordre, Water', 't.yaml:20:15: topic desk.order: there is no record Ordre'],
    ['a missing owner', '    owner: desk\n', '', 't.yaml:15:3: topic desk.order has no owner'],
    ['an empty description', 'Orders.', '""', 't.yaml:18:18: topic desk.order: description must be a text'],
    ['events without watermarks', ', Watermark', '', 't.yaml:20:14: topic desk.order: a topic of events carries Watermark too'],
    ['a name that Kafka would not take', 'desk.order:', 'Desk order:', 't.yaml:15:3: topic Desk order: a name has'],
    ['a topic twice', 'topics:', 'topics:\n  desk.order: {}', 't.yaml:16:3: Map keys must be unique'],
    ['a number that is not exact', 'retention.ms: -1', 'retention.ms: 9223372036854775807', 't.yaml:5:19: defaults.config retention.ms must be quoted'],
    ['no partitions', '  partitions: 12\n', '', 'defaults must say partitions'],
    ['half a partition', 'partitions: 12', 'partitions: 0.5', 't.yaml:2:15: defaults.partitions must be a whole number of at least 1'],
    ['dead letters of nothing', 'desk.order:\n    kind: events', 'desk.order.dead_letter:\n    kind: dead_letters', 'dead letters are named TOPIC.dead_letters'],
    ['a setting that Kafka does not know', 'retention.ms: -1', 'retention.hours: 7', 't.yaml:5:5: defaults.config retention.hours is no setting of a Kafka topic; there is retention.bytes, retention.ms'],
    ['a value that the setting cannot have', 'cleanup.policy: compact', 'cleanup.policy: compress', 't.yaml:8:32: kind compacted cleanup.policy must be delete, compact, or both'],
    ['an override of no topic', 'replication: 3', 'replication: 3\n    topics: { desk.ordre: {} }', 't.yaml:13:15: environment production: there is no topic desk.ordre'],
    ['all replicas in sync', '    key: asset', '    key: asset\n    replication: 2\n    config: { min.insync.replicas: 2 }', 't.yaml:15:3: topic desk.order: min.insync.replicas 2 with replication 2: one broker that restarts'],
    ['text that is no YAML', 'owner: desk', 'owner: [desk', 't.yaml:18:'],
  ];
  for (const [what, from, to, problem] of cases) {
    it(`is refused for ${what}, with the place`, () => {
      expect(GOOD).to.include(from);
      expect(problems(GOOD.replace(from, to)).join('\n')).to.include(problem);
    });
  }

  it('lets a topic and an environment say otherwise of one topic', () => {
    const text = `${GOOD.replace('    config: { min.insync.replicas: 2 }', '    config: { min.insync.replicas: 2 }\n    topics:\n      desk.order: { partitions: 24, config: { segment.ms: 7 } }')}    partitions: 6\n    config: { segment.ms: 5, segment.bytes: 99 }\n`;
    expect(parseTopicsFile('t.yaml', text, NONE)[0]).to.deep.include({ partitions: 6, place: 't.yaml:17:3' });
    const [topic] = parseTopicsFile('t.yaml', text, { environment: 'production', partitions: null });
    expect(topic).to.deep.include({ partitions: 24, replication: 3 });
    expect(topic?.config).to.include({ 'segment.ms': '7', 'segment.bytes': '99', 'min.insync.replicas': '2' });
  });

  it('names every problem at once', () => {
    expect(problems(GOOD.replace('owner: desk', 'owner: 5').replace('kind: events', 'kind: x'))).to.have.length(2);
  });

  it('is refused for an environment that is not there, and for one in which nothing could be written', () => {
    expect(problems(GOOD, { environment: 'staging', partitions: null })[0]).to.include('there is no environment staging; there is production');
    expect(problems(GOOD.replace('replication: 3', 'replication: 1'), { environment: 'production', partitions: null })[0]).to.include('min.insync.replicas 2 with replication 1');
  });
});

describe('topics.yaml', () => {
  const topics = declaredTopics();
  const byName = new Map(topics.map((topic) => [topic.name, topic]));

  it('is good in every environment', () => {
    expect(declaredTopics({ environment: 'production', partitions: null })[0]?.replication).to.equal(3);
  });

  it('has one number of partitions, and keeps every record of any age', () => {
    for (const { name, partitions, config } of topics) {
      expect(partitions, name).to.equal(12);
      expect(config, name).to.include({ 'retention.ms': '-1', 'message.timestamp.type': 'CreateTime', 'message.timestamp.before.max.ms': '9223372036854775807', 'message.timestamp.after.max.ms': '9223372036854775807' });
    }
  });

  it('carries every record that has a schema', () => {
    const carried = new Set(topics.flatMap((topic) => topic.records));
    expect([...carried].sort()).to.deep.equal([...RECORD_NAMES].sort());
    expect(readdirSync('schemas').filter((file) => file.endsWith('.avsc'))).to.have.length(RECORD_NAMES.length);
  });

  it('has dead letters for every topic with records, large enough for the largest record', () => {
    for (const { name, config } of topics.filter((topic) => topic.records.length > 0)) {
      const letters = byName.get(deadLetterTopic(name)) as TopicDeclaration;
      expect(letters, name).to.include({ kind: 'dead_letters' });
      expect(Number(letters.config['max.message.bytes'])).to.be.greaterThan(Number(config['max.message.bytes']) + 100_000);
    }
    expect(byName.has('ws-gateway.dead_letters')).to.equal(true);
  });

  it('compacts states and nothing else', () => {
    const compacted = topics.filter((topic) => topic.config['cleanup.policy'] === 'compact').map((topic) => topic.name);
    expect(compacted).to.have.members(['position-manager.positions', 'position-manager.portfolio', 'order-manager.changelog', 'position-manager.changelog', 'position-linker.changelog', 'book-digests.digests', 'book-digests.changelog']);
  });

  it('becomes topics under the namespace', () => {
    expect(wantedTopics('run1', topics)[0]).to.deep.include({ topic: 'run1.ws-gateway.order', partitions: 12, replicationFactor: 1 });
  });
});
