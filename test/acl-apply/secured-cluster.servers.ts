import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import kafkajs, { type AclEntry } from 'kafkajs';
import postgres from 'postgres';
import { AclAdmin, CLUSTER_NAME, type AccessRule } from '../../src/kafka/acl-admin.js';
import { TopicAdmin } from '../../src/kafka/admin.js';
import { Cluster } from '../../src/kafka/cluster.js';
import { knownEverywhere } from '../../src/kafka/everywhere.js';
import { describeRulesRequest } from '../../src/kafka/protocol/admin-requests.js';
import { StandingProbe } from '../../src/kafka/standing.js';
import { declaredTopics } from '../../src/topic-apply/declared-topics.js';
import { runCommand, type CommandRun } from '../cli/command-run.js';
import { removeNamespace, stackEnvironment, temporaryNamespace } from '../cli/temporary-namespace.js';
import { KafkaCluster } from '../kafka/kafka-cluster.js';
import { until } from '../kafka/live.js';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, ResourcePatternTypes, logLevel } = kafkajs;

const ROLES = ['ws-gateway', 'order-manager', 'position-manager', 'position-linker', 'model-service', 'table-sinks'];
const CAPTURE = 'test/captures/clean/frames.jsonl.gz';
const COUNT = declaredTopics().length;
const PASSWORD = 'secret-of-a-test';

/** Three brokers with an authorizer: everybody on the direct listener may do everything, on the other one there are users. */
describe('three brokers with users and rules', function () {
  this.timeout(240_000);
  const stack = stackEnvironment();
  const namespace = temporaryNamespace('secured');
  const dir = mkdtempSync(join(tmpdir(), 'secured-'));
  let cluster: KafkaCluster;
  let admin: TopicAdmin;
  let master: Record<string, string>;

  before(async () => {
    const users = Object.fromEntries([...ROLES, 'keeper'].map((role) => [role, PASSWORD]));
    cluster = await KafkaCluster.start({ dir: join(dir, 'kafka'), count: 3, heapMb: 256, security: { users } });
    master = { ...stack, KAFKA_BROKERS: cluster.direct.join(','), POSITION_LINKER_NAMESPACE: namespace, POSITION_LINKER_ENVIRONMENT: 'production', POSITION_LINKER_PARTITIONS: '2' };
    admin = new TopicAdmin({ brokers: cluster.direct, clientId: 'test' });
  });
  after(async () => {
    await admin?.close();
    await cluster?.close();
    await removeNamespace(stack, namespace);
    rmSync(dir, { recursive: true, force: true });
  });

  const asMaster = (...argv: string[]): Promise<CommandRun> => runCommand(argv, master);
  const asUser = (user: string, argv: readonly string[], signal?: AbortSignal, password = PASSWORD): Promise<CommandRun> => {
    const brokers = cluster.secondListeners.map((port) => `127.0.0.1:${port}`).join(',');
    return runCommand(argv, { ...master, KAFKA_BROKERS: brokers, KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_USERNAME: user, KAFKA_SASL_PASSWORD: password, KAFKA_TLS_CA: cluster.authorityFile, POSITION_LINKER_LOG_LEVEL: 'silent' }, signal);
  };
  const file = (name: string, from: string | RegExp, to: string): string => {
    const text = readFileSync('topics.yaml', 'utf8');
    expect(text.search(from)).to.be.greaterThan(-1);
    writeFileSync(join(dir, name), text.replace(from, to));
    return join(dir, name);
  };

  it('plans, applies, and plans to nothing', async () => {
    const plan = await asMaster('topics', 'plan', '--out', join(dir, 'plan.json'));
    expect([plan.code, plan.stdout.split('\n').at(-3)]).to.deep.equal([0, `plan: ${COUNT} to create`]);
    expect((await asMaster('topics', 'diff')).code).to.equal(3);
    expect((await asMaster('topics', 'apply', '--plan', join(dir, 'plan.json'))).stdout).to.equal(`topics: ${COUNT} created, 0 settings changed, ${COUNT} in all
`);
    const again = await asMaster('topics', 'plan', '--json');
    expect(again.code).to.equal(0);
    expect(JSON.parse(again.stdout)).to.deep.include({ empty: true, create: [], grow: [], change: [], refusals: [], kept: [] });
    expect((await asMaster('topics', 'diff')).code).to.equal(0);
    expect((await admin.describe([`${namespace}.ws-gateway.order`]))[0]).to.deep.include({ partitions: 2, replicationFactor: 3 });

    const exported = await asMaster('topics', 'export');
    writeFileSync(join(dir, 'export.yaml'), exported.stdout);
    const other = { ...master, POSITION_LINKER_ENVIRONMENT: '', POSITION_LINKER_PARTITIONS: '' };
    expect((await runCommand(['topics', 'diff', '--file', join(dir, 'export.yaml')], other)).code).to.equal(0);
  });

  it('refuses by rule, and then does nothing at all', async () => {
    const cases: readonly (readonly [rule: string, ...argv: string[]])[] = [
      ['partition-growth', '--partitions', '3'],
      ['partition-shrink', '--partitions', '1'],
      ['co-partitioning', '--file', file('co.yaml', /( {2}position-linker\.discrepancies:\n)/, '$1    partitions: 2\n')],
      ['replication-change', '--environment', 'laptop', '--file', file('laptop.yaml', 'environments:\n', 'environments:\n  laptop: { replication: 1 }\n')],
      ['replication-brokers', '--environment', 'large', '--file', file('large.yaml', 'environments:\n', 'environments:\n  large: { replication: 4, config: { min.insync.replicas: 2 } }\n')],
      ['min-insync', '--environment', 'unsaid', '--file', file('unsaid.yaml', 'environments:\n', 'environments:\n  unsaid: { replication: 2 }\n')],
      ['retention-cut', '--file', file('cut.yaml', 'retention.ms: -1', 'retention.ms: 86400000')],
      ['cleanup-policy', '--file', file('policy.yaml', 'kind: compacted', 'kind: changelog\n    config: { cleanup.policy: delete }')],
    ];
    for (const [rule, ...argv] of cases) {
      const fresh = rule === 'replication-brokers' || rule === 'min-insync' || rule === 'co-partitioning';
      const env = { ...master, ...(fresh && { POSITION_LINKER_NAMESPACE: `${namespace}x` }), ...(rule === 'co-partitioning' && { POSITION_LINKER_PARTITIONS: '' }) };
      const plan = await runCommand(['topics', 'plan', ...argv], env);
      expect([rule, plan.code, plan.stdout.includes(`refuse [${rule}]`), plan.stdout.includes('instead: ')]).to.deep.equal([rule, 3, true, true]);
      const apply = await runCommand(['topics', 'apply', ...argv], env);
      expect([rule, apply.code, apply.stdout]).to.deep.equal([rule, 1, '']);
      expect(apply.stderr).to.include(`[${rule}]`).and.include('nothing was changed');
    }
    expect((await asMaster('topics', 'diff')).stdout).to.equal(`no difference: ${COUNT} topics as declared
`);
    expect((await admin.topicNames()).filter((topic) => topic.startsWith(`${namespace}x`))).to.deep.equal([]);
  });

  it('cuts retention where that was said, mends what drifted with all other settings kept, and refuses a plan the cluster ran away from', async () => {
    const topic = `${namespace}.ws-gateway.order`;
    const cut = file('cut-one.yaml', /( {2}ws-gateway\.order:\n)/, '$1    config: { retention.ms: 86400000 }\n');
    expect((await asMaster('topics', 'apply', '--file', cut, '--allow-retention-cut')).code).to.equal(0);
    await admin.mergeConfigs(topic, { 'segment.ms': '7000000' });
    const drift = await asMaster('topics', 'plan', '--out', join(dir, 'mend.json'));
    expect([drift.code, drift.stdout.split('\n')[0]]).to.deep.equal([3, `change ${topic}: retention.ms 86400000 → -1`]);
    await admin.mergeConfigs(topic, { 'max.message.bytes': '2000000' });
    const moved = await asMaster('topics', 'apply', '--plan', join(dir, 'mend.json'));
    expect([moved.code, moved.stderr.split('\n')[1]]).to.deep.equal([1, `  ${topic}: max.message.bytes is 2000000, it was 10485760`]);
    expect((await asMaster('topics', 'apply')).stdout).to.include('2 settings changed');
    expect((await admin.describe([topic]))[0]?.configs).to.include({ 'segment.ms': '7000000', 'retention.ms': '-1', 'max.message.bytes': '10485760', 'min.insync.replicas': '2' });
    expect((await asMaster('topics', 'plan')).code).to.equal(0);
    expect((await asMaster('topics', 'diff')).stdout).to.equal(`${topic}: segment.ms is 7000000, declared is nothing\n`);
  });

  it('lets every role work with exactly its rules', async () => {
    expect((await asMaster('setup')).code).to.equal(0);
    const before = await asUser('ws-gateway', ['ingest', '--capture', CAPTURE]);
    expect(before.stderr).to.include(`ws-gateway may not write topic ${namespace}.ws-gateway.order`).and.include('acls apply').and.not.include('is missing');

    expect((await asMaster('acls', 'apply')).stdout).to.match(/^acls: (\d+) created, \1 in all\n$/);
    const plan = await asMaster('acls', 'plan');
    expect([plan.code, plan.stdout].join()).to.match(/^0,plan: nothing to create, \d+ rules in place\n$/);
    expect((await asUser('ws-gateway', ['ingest', '--capture', CAPTURE])).code).to.equal(0);

    const stop = new AbortController();
    const running = ROLES.slice(1).map((role) => asUser(role, ['run', role], stop.signal));
    const sql = postgres(stack.DATABASE_URL, { max: 1 });
    const replayed = join(dir, 'replayed');
    mkdirSync(replayed);
    await runCommand(['replay', '--capture', CAPTURE, '--out', replayed, '--partitions', '2'], {});
    const tables = ['orders', 'positions', 'portfolio', 'position_orders', 'position_cycles', 'prediction_trading_results'];
    const expected = tables.map((table) => readFileSync(join(replayed, `${table}.csv`), 'utf8').trimEnd().split('\n').length - 1);
    try {
      await Promise.race([
        Promise.all(running).then((runs) => expect.fail(runs.map(({ stderr }) => stderr).join('\n'))),
        until('every table is full', async () => {
          const counts = await Promise.all(tables.map(async (table) => Number((await sql`SELECT count(*) AS n FROM ${sql(namespace)}.${sql(table)}`)[0]?.['n'])));
          return counts.join() === expected.join();
        }, 90_000),
      ]);
    } finally {
      stop.abort();
      await sql.end();
    }
    expect((await Promise.all(running)).map(({ code, stderr }) => [code, stderr])).to.deep.equal(running.map(() => [0, '']));

    expect((await asMaster('acls', 'apply', 'table-sinks', '--drain')).code).to.equal(0);
    const drained = await asUser('table-sinks', ['run', 'table-sinks', '--drain']);
    expect([drained.code, drained.stdout].join()).to.match(/^0,drained: everything released is in place; 0 records/);
  });

  it('fails clearly where one rule is missing, whichever it is, and where it goes while the role works', async () => {
    const kafka = new Kafka({ brokers: cluster.direct, logLevel: logLevel.NOTHING }).admin();
    await kafka.connect();
    const { create: rules } = JSON.parse((await asMaster('acls', 'plan', 'position-linker', '--json', '--principal-prefix', 'other-')).stdout) as { readonly create: readonly AccessRule[] };
    expect(rules).to.have.length(12);
    const brokers = new Cluster({ brokers: cluster.direct, clientId: 'test' });
    const acls = new AclAdmin({ brokers: cluster.direct, clientId: 'test' });
    const takeAway = async (entry: AclEntry): Promise<void> => {
      await kafka.deleteAcls({ filters: [entry] });
      await knownEverywhere(brokers, describeRulesRequest(), ({ rules: left }) => !left.some(({ principal, name, operation }) => principal === entry.principal && name === entry.resourceName && operation === entry.operation));
    };
    const giveBack = (rule: AccessRule): Promise<void> => acls.add([{ ...rule, principal: 'User:position-linker' }]);
    try {
      for (const rule of rules) {
        const entry = aclEntry(rule);
        await takeAway(entry);
        const run = await asUser('position-linker', ['run', 'position-linker']);
        expect([ruleName(rule), run.code, run.stderr.split('\n').filter((line) => line.startsWith('  position-linker may not')).length]).to.deep.equal([ruleName(rule), 4, 1]);
        expect(run.stderr).to.include(`${rule.name.replace(/\.$/, '.0')}\n`).and.include(`position-linker acls apply --namespace ${namespace}`);
        await giveBack(rule);
      }
      const working = asUser('position-linker', ['run', 'position-linker']);
      await until('it is a member of its group', async () => ((await kafka.describeGroups([`${namespace}.position-linker`])).groups[0]?.members.length ?? 0) > 0);
      const input = aclEntry(rules[0] as AccessRule);
      await takeAway(input);
      const ended = await working;
      expect(ended.code).to.equal(4);
      expect(ended.stderr).to.include(input.resourceName).and.include('TOPIC_AUTHORIZATION_FAILED: this user lacks a right; `position-linker acls plan`');
      await giveBack(rules[0] as AccessRule);
    } finally {
      brokers.close();
      await acls.close();
      await kafka.disconnect();
    }
    expect((await asMaster('acls', 'plan')).stdout).to.include('nothing to create');
  });

  it('lets somebody keep topics and rules who may do nothing else', async () => {
    const acls = new AclAdmin({ brokers: cluster.direct, clientId: 'test' });
    const own = { principal: 'User:keeper', host: '*', permission: 'allow' } as const;
    const ofTopics = ['create', 'describe', 'describe_configs', 'alter_configs'].map((operation): AccessRule => ({ ...own, resource: 'topic', name: `${namespace}`, pattern: 'prefixed', operation }));
    const ofCluster = ['describe', 'describe_configs', 'alter'].map((operation): AccessRule => ({ ...own, resource: 'cluster', name: CLUSTER_NAME, pattern: 'literal', operation }));
    await acls.add([...ofTopics, ...ofCluster]).finally(() => acls.close());
    const other = ['--namespace', `${namespace}_kept`, '--partitions', '1'];
    const refused = await asUser('keeper', ['topics', 'apply', '--namespace', `x${namespace}`]);
    expect([refused.code, refused.stderr]).to.satisfy(([code, text]: [number, string]) => code === 1 && text.includes('uthoriz'), refused.stderr);
    expect((await asUser('keeper', ['topics', 'apply', ...other])).stdout).to.include(`${COUNT} created`);
    await admin.mergeConfigs(`${namespace}_kept.ws-gateway.order`, { 'retention.ms': '1' });
    expect((await asUser('keeper', ['topics', 'diff', ...other])).code).to.equal(3);
    expect((await asUser('keeper', ['topics', 'apply', ...other])).stdout).to.include('1 settings changed');
    const rules = await asUser('keeper', ['acls', 'apply', 'order-manager', ...other.slice(0, 2)]);
    expect([rules.code, rules.stdout]).to.deep.equal([0, 'acls: 9 created, 9 in all\n']);
    expect((await asUser('order-manager', ['topics', 'diff'])).stderr).to.include('uthoriz');
  });

  it('knows the same user by every mechanism, over TLS with the authority alone', async () => {
    const brokers = cluster.secondListeners.map((port) => `127.0.0.1:${port}`);
    const topic = `${namespace}.order-manager.order_events`;
    for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
      const probe = new StandingProbe({ brokers, clientId: 'test', ssl: { ca: readFileSync(cluster.authorityFile, 'utf8') }, sasl: { mechanism, username: 'position-linker', password: PASSWORD } });
      const [standing] = await probe.topics([topic]).finally(() => probe.close());
      expect([mechanism, standing?.partitions, standing?.may('read'), standing?.may('write')]).to.deep.equal([mechanism, 2, true, false]);
    }
    const stranger = new StandingProbe({ brokers, clientId: 'test', ssl: true, sasl: { mechanism: 'plain', username: 'position-linker', password: PASSWORD } });
    const error = await stranger.topics([topic]).then(() => null, (caught: Error) => caught.message).finally(() => stranger.close());
    expect(error).to.match(/the certificate of 127\.0\.0\.1:\d+ is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\); give the authority/);
  });

  it('says so where the password is wrong', async () => {
    const wrong = await asUser('position-linker', ['run', 'position-linker'], undefined, 'wrong');
    expect(wrong.stderr).to.include('refused the credentials; check user, password and mechanism');
  });
});

/** The same rule for the user that roles have here, as kafkajs takes it. */
function aclEntry(rule: AccessRule): AclEntry {
  return {
    principal: 'User:position-linker', host: '*', resourceName: rule.name,
    resourceType: { topic: AclResourceTypes.TOPIC, group: AclResourceTypes.GROUP, 'transactional-id': AclResourceTypes.TRANSACTIONAL_ID }[rule.resource as 'topic'],
    resourcePatternType: rule.pattern === 'prefixed' ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
    operation: rule.operation === 'read' ? AclOperationTypes.READ : AclOperationTypes.WRITE,
    permissionType: AclPermissionTypes.ALLOW,
  };
}

function ruleName({ operation, resource, name }: AccessRule): string {
  return `${operation} ${resource} ${name}`;
}
