import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readRecordSchemas } from '../avro/record-schema.js';
import { resolveOptions } from '../config/resolve.js';
import type { Options } from '../config/options.js';
import { reportText } from '../schema-gate/report.js';
import { applyRegistration, planRegistration, registrationText } from '../schema-registry/register-schemas.js';
import { recordSubjects } from '../schema-registry/record-subjects.js';
import { RegistryClient } from '../schema-registry/registry-client.js';
import { runGate, type Baseline } from '../schema-versions/run-gate.js';
import { declaredTopics } from '../topic-apply/declared-topics.js';
import { defineCommand, type Command } from './command.js';

const OWN_FOLDER = fileURLToPath(new URL('../../schemas', import.meta.url));
const FOUND = 3;

/** `schemas check|register`: the records that topics carry, and whether they may change as they did. */
export const schemaCommands: readonly Command[] = [
  defineCommand({
    path: ['schemas', 'check'],
    summary: 'tell whether every record stays readable, and means what it meant, against all its earlier versions',
    details:
      'Rules: compatibility (what Avro lets readers read), decoder (what the library that will decode records resolves), hazards (changes that registries let ' +
      'pass and that change what numbers mean), style. Levels and exceptions stand in gate.yaml beside the schemas. ' +
      'Exit code 0 clean, 3 with findings.',
    positionals: [{ name: 'DIR', help: 'folder of .avsc files; default schemas', count: 'optional' }],
    options: ['against', 'level', 'rules', 'reportFormat', 'json', 'namespace'],
    async run({ positionals, options, stdout, stderr }) {
      const folder = positionals[0] ?? schemaFolder();
      const { findings, files, versions, notes } = await runGate({ folder, baseline: baselineOf(options), level: options.level, groups: options.rules });
      for (const note of notes) stderr(`note: ${note}\n`);
      stdout(reportText({ findings, files, versions, against: shownBaseline(options.against) }, options.reportFormat ?? (options.json ? 'json' : 'text')));
      return findings.length === 0 ? 0 : FOUND;
    },
  }),
  defineCommand({
    path: ['schemas', 'register'],
    summary: 'register the record schemas under every topic that carries them',
    details: 'Sets the compatibility level of each subject, FULL_TRANSITIVE, before its first version, and registers only what is not there yet.',
    options: ['namespace', 'registryUrl', 'dryRun'],
    async run({ options, stdout }) {
      stdout(await setUpSchemas(options, options.dryRun));
      return 0;
    },
  }),
];

/** The folder of the place the command is run in, else that of the program. */
function schemaFolder(): string {
  return existsSync('schemas') ? 'schemas' : OWN_FOLDER;
}

function baselineOf({ against, namespace }: Pick<Options, 'against' | 'namespace'>): Baseline | null {
  if (against === null) return null;
  const [kind, rest] = [against.split(':', 1)[0], against.slice(against.indexOf(':') + 1)];
  if (kind === 'git') return { kind: 'git', reference: rest };
  if (kind === 'dir') return { kind: 'dir', path: rest };
  const flags = new Map(rest === '' || rest === against ? [] : [['registryUrl', rest] as const]);
  const { registryUrl } = resolveOptions(['registryUrl'], flags, process.env);
  const declared = recordSubjects(null, declaredTopics(), readRecordSchemas()).map(({ subject }) => subject);
  return { kind: 'registry', client: new RegistryClient(registryUrl), namespace, declared };
}

/** Without what a URL may hold beside the address. */
function shownBaseline(against: string | null): string | null {
  return against?.replace(/\/\/[^/@]*@/g, '//') ?? null;
}

/** Answers what was done, or would be done, as lines. */
export async function setUpSchemas(options: Pick<Options, 'namespace' | 'registryUrl'>, isDryRun = false): Promise<string> {
  const subjects = recordSubjects(options.namespace, declaredTopics(), readRecordSchemas());
  const client = new RegistryClient(options.registryUrl);
  const plans = await planRegistration(client, subjects);
  if (isDryRun) return plans.length === 0 ? 'schemas: nothing to do\n' : `${registrationText(plans)}\n`;
  await applyRegistration(client, plans);
  const registered = plans.filter((plan) => plan.schema !== null).length;
  return `schemas: ${registered === 0 ? '' : `${registered} registered, `}${subjects.length} subjects as declared\n`;
}
