import type { AccessRule } from '../kafka/acl-admin.js';
import { ruleText } from './role-rules.js';

/** What has to be done so that every role may do what it does. Pure. */
export interface AclPlan {
  /** As many as are needed at all. */
  readonly needed: number;
  readonly create: readonly AccessRule[];
  /** Rules of these principals beyond what their roles need; they stay, since somebody may have meant them. */
  readonly surplus: readonly AccessRule[];
  /** Rules that forbid these principals something; brokers let them win over every permission. */
  readonly denied: readonly AccessRule[];
}

export function planAcls(needed: readonly AccessRule[], existing: readonly AccessRule[]): AclPlan {
  const wanted = new Set(needed.map(ruleText));
  const found = new Set(existing.map(ruleText));
  return {
    needed: needed.length,
    create: needed.filter((rule) => !found.has(ruleText(rule))),
    surplus: existing.filter((rule) => rule.permission === 'allow' && !wanted.has(ruleText(rule))),
    denied: existing.filter(({ permission }) => permission === 'deny'),
  };
}

/** Whether principals may more, or less, than their roles say. */
export function isAclDrift({ surplus, denied }: AclPlan): boolean {
  return surplus.length + denied.length > 0;
}

/** A line each; ends without a line break. */
export function aclPlanText({ create, surplus, denied, needed }: AclPlan): string {
  const rest = [...(surplus.length === 0 ? [] : [`${surplus.length} beyond what is needed`]), ...(denied.length === 0 ? [] : [`${denied.length} that forbid`])];
  const summary = create.length === 0 ? `nothing to create, ${needed} rules in place` : `${create.length} of ${needed} rules to create`;
  return [
    ...create.map((rule) => `create ${ruleText(rule)}`),
    ...surplus.map((rule) => `keep   ${ruleText(rule)}: beyond what the role needs; take it away with ${removal(rule)}`),
    ...denied.map((rule) => `keep   ${ruleText(rule)}: it wins over every permission; take it away with ${removal(rule)}`),
    `plan: ${[summary, ...rest].join(', ')}`,
  ].join('\n');
}

/** The command of Kafka's own tools. */
function removal({ principal, resource, name, pattern, operation, permission }: AccessRule): string {
  const kind = resource === 'cluster' ? '--cluster' : `--${resource} '${name}'${pattern === 'prefixed' ? ' --resource-pattern-type prefixed' : ''}`;
  const words = operation.split('_').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `kafka-acls --remove --${permission}-principal '${principal}' --operation ${words.join('')} ${kind}`;
}
