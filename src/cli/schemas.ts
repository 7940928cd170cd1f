import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readRecordSchemas } from '../avro/record-schema.js';
import { currentText, typesFileText } from '../avro/types-file.js';
import { resolveOptions } from '../config/resolve.js';
import type { Options } from '../config/options.js';
import { reportText } from '../schema-gate/report.js';
import { applyRegistration, planRegistration, registrationText, type SubjectPlan } from '../schema-registry/register-schemas.js';
import { recordSubjects, type RecordSubject } from '../schema-registry/record-subjects.js';
import { RegistryClient } from '../schema-registry/registry-client.js';
import { differencesText, registryDifferences } from '../schema-registry/registry-difference.js';
import { readGateFile } from '../schema-versions/gate-file.js';
import { runGate, type Baseline } from '../schema-versions/run-gate.js';
import { declaredTopics } from '../topic-apply/declared-topics.js';
import { defineCommand, type Command } from './command.js';

const OWN_FOLDER = fileURLToPath(new URL('../../schemas', import.meta.url));
const FOUND = 3;

/** `schemas check|register|diff|types`: the records that topics carry, and whether they may change as they did. */
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
    details:
      'Shows the plan, then carries it out: the compatibility level of each subject (gate.yaml; FULL_TRANSITIVE without it) before its first version, then the ' +
      'schemas that are not there yet. A level that is stricter than declared stays. If any schema would be refused, nothing is done.',
    options: ['namespace', 'registryUrl', 'dryRun', 'allowLooserLevel', 'json'],
    async run({ options, stdout }) {
      const { client, subjects, plans } = await registrationPlan(options, options.allowLooserLevel);
      const text = plans.length === 0 ? 'schemas: nothing to do\n' : `${registrationText(plans)}\n`;
      if (!options.json) stdout(text);
      if (!options.dryRun) await applyRegistration(client, plans);
      if (options.json) stdout(`${JSON.stringify({ applied: !options.dryRun, plan: plans }, null, 2)}\n`);
      else if (!options.dryRun) stdout(registeredText(plans, subjects.length));
      return 0;
    },
  }),
  defineCommand({
    path: ['schemas', 'diff'],
    summary: 'where the schemas and a registry differ',
    details: 'Subjects that are missing or undeclared, levels, and field by field what the latest version has otherwise.\nExit codes: 0 no difference, 3 differences.',
    options: ['namespace', 'registryUrl', 'json'],
    async run({ options, stdout }) {
      const prefix = options.namespace === null ? null : `${options.namespace}.`;
      const differences = await registryDifferences(new RegistryClient(options.registryUrl), ownSubjects(options), readGateFile(OWN_FOLDER), prefix);
      if (options.json) stdout(`${JSON.stringify({ differences }, null, 2)}\n`);
      else stdout(differences.length === 0 ? 'no difference\n' : differencesText(differences));
      return differences.length === 0 ? 0 : FOUND;
    },
  }),
  defineCommand({
    path: ['schemas', 'types'],
    summary: 'write the TypeScript types of the records',
    details:
      'Decimals become bigint scaled by 10^18, times and longs numbers (the codec refuses longs beyond 2^53), enums unions of their symbols. Writes ' +
      'src/domain/records.ts beside the folder, or --out PATH (- is standard output). With --check writes nothing; exit code 3 if the file is not current.',
    positionals: [{ name: 'DIR', help: 'folder of .avsc files; default schemas', count: 'optional' }],
    options: ['out', 'check'],
    async run({ positionals, options, stdout, stderr }) {
      const folder = positionals[0] ?? schemaFolder();
      const text = typesFileText(folder);
      const target = options.out ?? typesFile(folder);
      const isCurrent = target !== '-' && currentText(target) === text;
      if (options.check) {
        if (!isCurrent) stderr(`${target} is not current: run \`position-linker schemas types\` and commit the result\n`);
        return isCurrent ? 0 : FOUND;
      }
      if (target === '-') stdout(text);
      else if (isCurrent) stdout(`${target} is current\n`);
      else {
        writeFileSync(target, text);
        stdout(`wrote ${target}\n`);
      }
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

/** Beside a folder of schemas, where the types of its records are kept; - where there is no such place. */
function typesFile(folder: string): string {
  const file = join(folder, '..', 'src', 'domain', 'records.ts');
  return existsSync(dirname(file)) ? file : '-';
}

type RegistryOptions = Pick<Options, 'namespace' | 'registryUrl'>;

function ownSubjects({ namespace }: Pick<Options, 'namespace'>): readonly RecordSubject[] {
  return recordSubjects(namespace, declaredTopics(), readRecordSchemas());
}

async function registrationPlan(options: RegistryOptions, isLooseningAllowed: boolean): Promise<{ readonly client: RegistryClient; readonly subjects: readonly RecordSubject[]; readonly plans: readonly SubjectPlan[] }> {
  const subjects = ownSubjects(options);
  const client = new RegistryClient(options.registryUrl);
  return { client, subjects, plans: await planRegistration(client, subjects, { rules: readGateFile(OWN_FOLDER), isLooseningAllowed }) };
}

function registeredText(plans: readonly SubjectPlan[], subjects: number): string {
  const registered = plans.filter((plan) => plan.schema !== null).length;
  return `schemas: ${registered === 0 ? '' : `${registered} registered, `}${subjects} subjects as declared\n`;
}

/** Registers what is missing; answers what was done as a line. */
export async function setUpSchemas(options: RegistryOptions): Promise<string> {
  const { client, subjects, plans } = await registrationPlan(options, false);
  await applyRegistration(client, plans);
  return registeredText(plans, subjects.length);
}
