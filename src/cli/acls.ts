import { aclPlanText, isAclDrift, planAcls, type AclPlan } from '../acl-apply/acl-plan.js';
import { roleRules } from '../acl-apply/role-rules.js';
import { BROKER_OPTIONS, type BrokerOptions, type Options } from '../config/options.js';
import type { AclAdmin } from '../kafka/acl-admin.js';
import { clusterAccess } from '../kafka/cluster-access.js';
import { defineCommand, type Command, type CommandContext, type Positional } from './command.js';
import { EXTRA_ROLE_NAMES, ROLE_NAMES } from './role-table.js';
import { allRoleUses, upstreamUses } from './role-topics.js';

const OPTION_LIST = ['namespace', 'principalPrefix', 'drain', 'json', ...BROKER_OPTIONS] as const;
const ROLE: Positional = { name: 'ROLE', help: 'only this role; all without one', count: 'optional', choices: ['ws-gateway', ...ROLE_NAMES, ...EXTRA_ROLE_NAMES] };
const DETAILS =
  'Each role has a user of its own, User:ROLE, or User:PREFIXROLE with --principal-prefix PREFIX. It may read its inputs and its state, write its outputs, its state and ' +
  'the dead letters of its inputs, be a member of its group, and write under its transactional ids; nothing else. With --drain also what `run --drain` looks at of the roles before it.\n' +
  'Needs a user who may see and change rules of access (Describe and Alter on the cluster).';

/** `acls`: what each role may do at the brokers. */
export const aclCommands: readonly Command[] = [
  defineCommand({
    path: ['acls', 'plan'],
    summary: 'rules of access that the roles need and the brokers do not have',
    details: `${DETAILS}\nExit codes: 0 nothing to do, or only rules to create; 3 a user has rules beyond what its role needs, or one that forbids.`,
    positionals: [ROLE],
    options: OPTION_LIST,
    async run(context) {
      const { options, stdout } = context;
      const plan = await withAdmin(options, (admin) => planned(admin, context));
      stdout(options.json ? json(plan) : `${aclPlanText(plan)}\n`);
      return isAclDrift(plan) ? 3 : 0;
    },
  }),
  defineCommand({
    path: ['acls', 'apply'],
    summary: 'create the rules of access that the roles need',
    details: `${DETAILS}\nTakes nothing away; what is beyond need is named. Safe to repeat.`,
    positionals: [ROLE],
    options: [...OPTION_LIST, 'dryRun'],
    async run(context) {
      const { options, stdout, stderr } = context;
      const plan = await withAdmin(options, async (admin) => {
        const made = await planned(admin, context);
        if (!options.dryRun) await admin.add(made.create);
        return made;
      });
      if (options.json) stdout(json(plan, !options.dryRun));
      else if (options.dryRun) stdout(`${aclPlanText(plan)}\n`);
      else stdout(`acls: ${plan.create.length} created, ${plan.needed} in all\n`);
      if (isAclDrift(plan)) stderr(`note: ${plan.surplus.length} rules beyond what is needed, ${plan.denied.length} that forbid; \`position-linker acls plan\` names them\n`);
      return 0;
    },
  }),
];

async function withAdmin<T>(options: BrokerOptions, work: (admin: AclAdmin) => Promise<T>): Promise<T> {
  const { AclAdmin } = await import('../kafka/acl-admin.js');
  const admin = new AclAdmin({ ...clusterAccess(options), clientId: 'position-linker' });
  try {
    return await work(admin);
  } finally {
    await admin.close();
  }
}

interface PlanContext extends Pick<CommandContext, 'positionals' | 'stderr'> {
  readonly options: Pick<Options, 'namespace' | 'principalPrefix' | 'drain'>;
}

async function planned(admin: AclAdmin, { positionals, options: { namespace, principalPrefix, drain }, stderr }: PlanContext): Promise<AclPlan> {
  const uses = allRoleUses().filter(({ role }) => positionals.length === 0 || positionals.includes(role));
  const choices = { namespace, principalPrefix: principalPrefix ?? '', upstream: drain ? upstreamUses() : null, needsIdempotentWrite: await admin.needsIdempotentWrite() };
  const needed = uses.flatMap((use) => roleRules(use, choices));
  const existing = await admin.rulesOf([...new Set(needed.map(({ principal }) => principal))]);
  if (existing === null) stderr('note: these brokers have no authorizer: everybody may do everything, and rules cannot be made\n');
  return planAcls(needed, existing ?? []);
}

function json({ needed, create, surplus, denied }: AclPlan, applied?: boolean): string {
  return `${JSON.stringify({ ...(applied !== undefined && { applied }), empty: create.length === 0, needed, create, surplus, denied }, null, 2)}\n`;
}
