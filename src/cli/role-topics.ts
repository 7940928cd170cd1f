import { deadLetterTopic, topicName, type Namespace } from '../config/namespace.js';
import type { RoleUse } from '../acl-apply/role-rules.js';
import { resolveOptions } from '../config/resolve.js';
import type { RoleTopics } from '../topic-apply/topic-state.js';
import { DEAD_LETTER_TOPIC, SOURCE_TOPICS } from '../ws-gateway/gateway.js';
import { extraRoles, PIPELINE_OPTIONS, roleTable, withUpstream, type Role } from './role-table.js';

/** The gateway reads its own topics too: how far they had come before. */
export const GATEWAY_USE: RoleUse = { role: 'ws-gateway', reads: SOURCE_TOPICS, writes: [...SOURCE_TOPICS, DEAD_LETTER_TOPIC], hasGroup: false, isTransactional: false };

export function roleUse({ name, inputs, outputs, changelog }: Pick<Role, 'name' | 'inputs' | 'outputs' | 'changelog'>): RoleUse {
  const state = changelog === null ? [] : [changelog];
  return { role: name, reads: [...inputs, ...state], writes: [...outputs, ...state, ...inputs.map(deadLetterTopic)], hasGroup: true, isTransactional: changelog !== null };
}

/** Which topics there are does not depend on any option. */
function roles(): readonly Role[] {
  const options = resolveOptions(PIPELINE_OPTIONS, new Map(), {});
  return [...roleTable(options), ...extraRoles(options)];
}

/** Of every role, the gateway first. */
export function allRoleUses(): readonly RoleUse[] {
  return [GATEWAY_USE, ...roles().map(roleUse)];
}

/** The roles whose work each role waits for when it drains, itself included. */
export function upstreamUses(): ReadonlyMap<string, readonly RoleUse[]> {
  const table = roles();
  return new Map(table.map(({ name }) => [name, withUpstream(table, [name]).map(roleUse)]));
}

/** All topics of a role, dead letters included: a dead letter goes to the partition its record came from. */
export function roleTopics(namespace: Namespace, uses: readonly RoleUse[]): readonly RoleTopics[] {
  return uses.map(({ role, reads, writes }) => ({ role, topics: [...new Set([...reads, ...writes])].map((topic) => topicName(namespace, topic)) }));
}
