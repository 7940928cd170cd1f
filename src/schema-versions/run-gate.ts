import { basename } from 'node:path';
import { avscDecoder, strictDecoder } from '../avro/resolver-refusals.js';
import type { Namespace } from '../config/namespace.js';
import type { RuleGroup } from '../schema-gate/finding.js';
import { checkSchema, removedFinding, withExceptions, type CheckedSchema, type Finding, type History, type VersionSeries } from '../schema-gate/gate.js';
import { levelOf } from '../schema-gate/gate-rules.js';
import { isTransitive, type CompatibilityLevel } from '../schema-gate/levels.js';
import { matchVersions } from '../schema-gate/match-versions.js';
import { rootAliasesOf, rootNameOf } from '../schema-gate/root-name.js';
import { parseSchema, type ParsedSchema } from '../schema-gate/schema-parser.js';
import type { RegistryClient } from '../schema-registry/registry-client.js';
import type { EarlierFile } from './earlier-file.js';
import { readGateFile } from './gate-file.js';
import { readGitVersions } from './git-versions.js';
import { readRegistryVersions } from './registry-versions.js';
import { isFile, readSchemaFolder, readVersionFolder, SchemaFolderError, type SchemaFile } from './schema-folder.js';

/** Where earlier versions are. */
export type Baseline =
  | { readonly kind: 'git'; readonly reference: string }
  | { readonly kind: 'dir'; readonly path: string }
  | { readonly kind: 'registry'; readonly client: Pick<RegistryClient, 'subjects' | 'versions' | 'version'>; readonly namespace: Namespace; readonly declared: readonly string[] };

export interface GateRun {
  readonly folder: string;
  /** Null: schemas are only looked at by themselves. */
  readonly baseline: Baseline | null;
  readonly level: CompatibilityLevel | null;
  readonly groups: readonly RuleGroup[];
}

export interface GateResult {
  readonly findings: readonly Finding[];
  /** Files that were checked. */
  readonly files: readonly string[];
  /** Earlier versions that they were compared with, or could have been. */
  readonly versions: number;
  /** What the reader of the findings should know about how they were found. */
  readonly notes: readonly string[];
}

interface Compared {
  /** By index of the checked schema. */
  readonly series: readonly (readonly VersionSeries[])[];
  readonly gone: readonly GoneSchema[];
  readonly history: History;
  readonly notes: readonly string[];
}

/** A schema that earlier versions have and the folder has not. */
interface GoneSchema {
  readonly file: string;
  readonly name: string;
  readonly label: string;
  readonly isLatest: boolean;
}

/** Reads schemas, gate file and earlier versions, and answers every finding at once. */
export async function runGate({ folder, baseline, level, groups }: GateRun): Promise<GateResult> {
  const files = readSchemaFolder(folder, ['.avsc'], baseline?.kind === 'dir' ? baseline.path : null);
  if (files.length === 0) throw new SchemaFolderError(`${folder} holds no .avsc file`, 'name the folder that holds the .avsc files');
  const schemas = files.map(checkedSchema);
  const rules = readGateFile(folder);
  const options = { rules, groups, level, decoders: rules.isDecoderStrict ? [avscDecoder(), strictDecoder()] : [avscDecoder()] };
  const { series, gone, history, notes } = await compared(folder, files, schemas, baseline);
  const found = schemas.flatMap((schema, index) => checkSchema(schema, series[index] ?? [], options));
  // Where only the latest version counts, what vanished before it does not.
  const removed = gone.filter(({ name, isLatest }) => isLatest || isTransitive(levelOf(rules, name, null, level))).map(({ file, name, label }) => removedFinding(file, name, label));
  return {
    findings: withExceptions(groups.includes('hazards') ? [...found, ...removed] : found, options, history),
    files: schemas.map(({ file }) => file),
    versions: series.flat().reduce((sum, one) => sum + one.versions.length, 0),
    notes,
  };
}

function checkedSchema({ name, path, text }: SchemaFile): CheckedSchema {
  const parsed = parseSchema(text);
  return { file: name, name: rootNameOf(parsed) ?? basename(path, '.avsc'), parsed };
}

async function compared(folder: string, files: readonly SchemaFile[], schemas: readonly CheckedSchema[], baseline: Baseline | null): Promise<Compared> {
  if (baseline === null) return { series: [], gone: [], history: 'none', notes: ['no --against: nothing was compared with earlier versions'] };
  if (baseline.kind === 'registry') {
    const { client, namespace, declared } = baseline;
    const series = await readRegistryVersions({ client, namespace, declared, schemas: schemas.map(({ name, parsed }) => ({ name, aliases: rootAliasesOf(parsed) })) });
    const unknown = schemas.filter((_schema, index) => series[index]?.length === 0).map(({ name }) => name);
    return { series, gone: [], history: 'part', notes: unknown.length === 0 ? [] : [`the registry has no subject of ${unknown.join(', ')}: taken as new`] };
  }
  if (baseline.kind === 'dir') return { ...ofFiles(files, schemas, readVersionFolder(baseline.path)), history: 'whole', notes: [], ...(isFile(folder) && OTHERS_UNKNOWN) };
  const { files: earlier, isShallow } = await readGitVersions(folder, baseline.reference);
  const notes = [
    ...(isShallow ? ['the clone is shallow: older versions of the schemas may be missing; fetch the full history'] : []),
    ...(earlier.length === 0 ? [`${baseline.reference} has no schemas in this folder: all are new`] : []),
  ];
  return { ...ofFiles(files, schemas, earlier), history: isShallow ? 'part' : 'whole', notes, ...(isFile(folder) && OTHERS_UNKNOWN) };
}

/** Who asks about one file does not ask about the others. */
const OTHERS_UNKNOWN = { gone: [], history: 'part' } as const;

function ofFiles(files: readonly SchemaFile[], schemas: readonly CheckedSchema[], earlier: readonly EarlierFile[]): Pick<Compared, 'series' | 'gone'> {
  const parsed: readonly ParsedSchema[] = earlier.map(({ text }) => parseSchema(text));
  const checked = schemas.map((schema, index) => ({ path: files[index]?.path ?? '', fullName: rootNameOf(schema.parsed), aliases: rootAliasesOf(schema.parsed) }));
  const matched = matchVersions(checked, earlier.map(({ path }, index) => ({ path, fullName: rootNameOf(parsed[index] as ParsedSchema) })));
  const series = schemas.map((_schema, index) => [
    { subject: null, versions: earlier.flatMap(({ label }, at) => (matched[at] === index ? [{ label, parsed: parsed[at] as ParsedSchema }] : [])) },
  ]);
  // Of several versions the newest is named.
  const gone = new Map<string, GoneSchema>();
  for (const [at, { path, file, label, isLatest }] of earlier.entries()) {
    const name = rootNameOf(parsed[at] as ParsedSchema) ?? path;
    if (matched[at] === null) gone.set(name, { file, name, label, isLatest });
  }
  return { series, gone: [...gone.values()] };
}
