import { groupId, topicName, transactionalId, type Namespace } from '../config/namespace.js';
import type { AccessRule } from '../kafka/acl-admin.js';

/*
 * What a role must be allowed, and nothing more. Reading or writing a topic includes seeing it, being a member of a group
 * includes reading its offsets, and writing under a transactional id includes asking for it: brokers say so themselves.
 */

/** What a role does at the brokers. Topics by their bare names. */
export interface RoleUse {
  readonly role: string;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Member of a consumer group of its name. */
  readonly hasGroup: boolean;
  /** Writes in transactions whose ids begin with its name. */
  readonly isTransactional: boolean;
}

export interface RuleChoices {
  readonly namespace: Namespace;
  /** Put before the role's name to make a user's. */
  readonly principalPrefix: string;
  /** Roles whose progress a role looks at while it drains, by the role that looks; null: no role drains. */
  readonly upstream: ReadonlyMap<string, readonly RoleUse[]> | null;
  /** The brokers want a right of its own for idempotent writing. */
  readonly needsIdempotentWrite: boolean;
}

export function principalOf({ role }: RoleUse, { principalPrefix }: Pick<RuleChoices, 'principalPrefix'>): string {
  return `User:${principalPrefix}${role}`;
}

/** Rules of one role, each once. */
export function roleRules(use: RoleUse, choices: RuleChoices): readonly AccessRule[] {
  const { namespace } = choices;
  const topic = (name: string, operation: string): Part => ({ resource: 'topic', name: topicName(namespace, name), operation });
  const parts: Part[] = [...use.reads.map((name) => topic(name, 'read')), ...use.writes.map((name) => topic(name, 'write'))];
  if (use.hasGroup) parts.push({ resource: 'group', name: groupId(namespace, use.role), operation: 'read' });
  if (use.isTransactional) parts.push({ resource: 'transactional-id', name: transactionalId(namespace, use.role, 0).replace(/0$/, ''), pattern: 'prefixed', operation: 'write' });
  if (choices.needsIdempotentWrite && !use.isTransactional) parts.push({ resource: 'cluster', name: 'kafka-cluster', operation: 'idempotent_write' });
  for (const other of choices.upstream?.get(use.role) ?? []) {
    parts.push(...other.reads.map((name) => topic(name, 'read')), ...other.writes.map((name) => topic(name, 'describe')), { resource: 'group', name: groupId(namespace, other.role), operation: 'describe' });
  }
  const rules = parts.map((part): AccessRule => ({ principal: principalOf(use, choices), host: '*', pattern: 'literal', permission: 'allow', ...part }));
  const needed = [...new Map(rules.map((rule) => [ruleText(rule), rule])).values()];
  return needed.filter((rule) => !(rule.operation === 'describe' && needed.some((other) => other.operation !== 'describe' && other.resource === rule.resource && other.name === rule.name)));
}

type Part = Pick<AccessRule, 'resource' | 'name' | 'operation'> & Partial<Pick<AccessRule, 'pattern'>>;

/** One rule as one line; two rules are the same if their lines are. */
export function ruleText({ principal, host, resource, name, pattern, operation, permission }: AccessRule): string {
  const who = host === '*' ? principal : `${principal} from ${host}`;
  return `${permission} ${who} ${operation.replaceAll('_', ' ')} ${resource} ${pattern === 'prefixed' ? `${name}…` : name}`;
}
