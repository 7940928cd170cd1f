import { expect } from 'chai';
import { aclPlanText, isAclDrift, planAcls } from '../../src/acl-apply/acl-plan.js';
import { roleRules, ruleText, type RuleChoices } from '../../src/acl-apply/role-rules.js';
import { allRoleUses, upstreamUses } from '../../src/cli/role-topics.js';
import type { AccessRule } from '../../src/kafka/acl-admin.js';
import { declaredTopics } from '../../src/topic-apply/declared-topics.js';

const CHOICES: RuleChoices = { namespace: 'n', principalPrefix: 'desk-', upstream: null, needsIdempotentWrite: false };
const rulesOf = (role: string, choices: Partial<RuleChoices> = {}): readonly AccessRule[] => allRoleUses().filter((use) => use.role === role).flatMap((use) => roleRules(use, { ...CHOICES, ...choices }));
const lines = (role: string, choices: Partial<RuleChoices> = {}): readonly string[] => rulesOf(role, choices).map((rule) => ruleText(rule).replace(`allow User:desk-${role} `, ''));

describe('rules of access of a role', () => {
  it('are exactly what it does between its topics', () => {
    expect(lines('position-linker')).to.deep.equal([
      'read topic n.order-manager.order_events',
      'read topic n.ws-gateway.position',
      'read topic n.position-linker.changelog',
      'write topic n.position-linker.position_orders',
      'write topic n.position-linker.position_cycles',
      'write topic n.position-linker.prediction_deltas',
      'write topic n.position-linker.discrepancies',
      'write topic n.position-linker.changelog',
      'write topic n.order-manager.order_events.dead_letters',
      'write topic n.ws-gateway.position.dead_letters',
      'read group n.position-linker',
      'write transactional-id n.position-linker.…',
    ]);
  });

  it('let a sink write dead letters alone, and the gateway nothing but its topics', () => {
    expect(lines('model-service').filter((line) => line.startsWith('write'))).to.deep.equal(['write topic n.position-linker.prediction_deltas.dead_letters', 'write topic n.position-linker.position_cycles.dead_letters']);
    expect(lines('ws-gateway', { namespace: null, needsIdempotentWrite: true })).to.deep.equal([
      ...['order', 'execution', 'position'].map((topic) => `read topic ws-gateway.${topic}`),
      ...['order', 'execution', 'position', 'dead_letters'].map((topic) => `write topic ws-gateway.${topic}`),
      'idempotent write cluster kafka-cluster',
    ]);
  });

  it('add a look at the roles before it where it drains', () => {
    const more = lines('model-service', { upstream: upstreamUses() }).filter((line) => !lines('model-service').includes(line));
    expect(more).to.include.members(['describe group n.order-manager', 'describe group n.position-linker', 'read topic n.ws-gateway.order', 'describe topic n.position-linker.discrepancies']);
    expect(more.filter((line) => line.startsWith('write'))).to.deep.equal([]);
    expect(more).to.not.include('describe topic n.position-linker.position_cycles');
  });

  it('name no topic that is not declared', () => {
    const declared = new Set(declaredTopics().map(({ name }) => `n.${name}`));
    const named = allRoleUses().flatMap((use) => roleRules(use, { ...CHOICES, upstream: upstreamUses() })).filter(({ resource }) => resource === 'topic');
    expect(named.map(({ name }) => name).filter((name) => !declared.has(name))).to.deep.equal([]);
    expect(new Set(named.map(({ name }) => name)).size).to.equal(declared.size);
  });
});

describe('a plan of rules', () => {
  const needed = rulesOf('position-manager');
  const [first, second] = needed as readonly [AccessRule, AccessRule];

  it('creates what is not there, and nothing the second time', () => {
    expect(planAcls(needed, [first]).create).to.deep.equal(needed.slice(1));
    const done = planAcls(needed, needed);
    expect([done.create, isAclDrift(done), aclPlanText(done)]).to.deep.equal([[], false, `plan: nothing to create, ${needed.length} rules in place`]);
  });

  it('keeps what is beyond need and what forbids, and says how to take it away', () => {
    const surplus: AccessRule = { ...first, name: 'n.', pattern: 'prefixed', operation: 'describe_configs' };
    const denied: AccessRule = { ...second, permission: 'deny' };
    const plan = planAcls(needed, [...needed, surplus, denied]);
    expect(plan).to.deep.include({ create: [], surplus: [surplus], denied: [denied] });
    expect(isAclDrift(plan)).to.equal(true);
    expect(aclPlanText(plan)).to.include("kafka-acls --remove --allow-principal 'User:desk-position-manager' --operation DescribeConfigs --topic 'n.' --resource-pattern-type prefixed");
  });
});
