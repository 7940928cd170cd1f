import type { Namespace } from '../config/namespace.js';
import type { EarlierVersion, VersionSeries } from '../schema-gate/gate.js';
import { parseSchema, type ParsedSchema } from '../schema-gate/schema-parser.js';
import { rootNameOf } from '../schema-gate/root-name.js';
import type { RegistryClient } from '../schema-registry/registry-client.js';

export interface RegistryQuestion {
  readonly client: Pick<RegistryClient, 'subjects' | 'versions' | 'version'>;
  /** Subjects of this pipeline only; null for all, but not those of other pipelines' topics. */
  readonly namespace: Namespace;
  /** Subjects of the declared topics, without a namespace. */
  readonly declared: readonly string[];
  /** Full name of each schema, and those it had before. */
  readonly schemas: readonly { readonly name: string; readonly aliases: readonly string[] }[];
}

const AT_ONCE = 16;

/**
 * The versions of each schema under every subject that holds it, in the order of the names: TOPIC-RECORD and RECORD by the
 * subject's name, TOPIC-value and TOPIC-key by what their latest version holds. A schema without any is looked for under its
 * aliases, then under another namespace: a new full name makes a new subject, but not a new record.
 */
export async function readRegistryVersions({ client, namespace, declared, schemas }: RegistryQuestion): Promise<readonly (readonly VersionSeries[])[]> {
  const subjects = (await client.subjects(namespace === null ? '' : `${namespace}.`)).filter((subject) => namespace !== null || !declared.some((own) => subject.endsWith(`.${own}`)));
  const names = schemas.map(({ name }) => name);
  const byName = schemas.map(({ name, aliases }) => {
    const [own = []] = [[name], aliases].map((known) => subjects.filter((subject) => known.some((fullName) => holds(subject, fullName)))).filter((found) => found.length > 0);
    return [...own];
  });
  if (byName.some((found) => found.length === 0)) {
    const unnamed = subjects.filter((subject) => /-(value|key)$/.test(subject) && !byName.flat().includes(subject));
    const held = await inTurns(unnamed, async (subject) => rootName(await client.version(subject, 'latest')));
    for (const [index, name] of names.entries()) byName[index]?.push(...unnamed.filter((_subject, at) => held[at] === name));
    const taken = new Set(byName.flat());
    for (const [index, name] of names.entries()) {
      if (byName[index]?.length === 0) byName[index]?.push(...subjects.filter((subject) => !taken.has(subject) && simpleName(subject) === simpleName(name)));
    }
  }
  return Promise.all(byName.map((found) => inTurns(found, async (subject) => ({ subject, versions: await versionsOf(client, subject) }))));
}

function holds(subject: string, fullName: string): boolean {
  return subject === fullName || subject.endsWith(`-${fullName}`);
}

/** Of a record, or of the one that a subject is named after; topics may have dots of their own. */
function simpleName(name: string): string {
  return /[^.-]*$/.exec(name)?.[0] ?? '';
}

async function versionsOf(client: RegistryQuestion['client'], subject: string): Promise<readonly EarlierVersion[]> {
  const versions = await inTurns(await client.versions(subject), async (version) => ({ version, found: await client.version(subject, version) }));
  return versions.flatMap(({ version, found }) => (found === null ? [] : [{ label: `${subject} version ${version}`, parsed: parseSchema(found.schema) }]));
}

function rootName(found: { readonly schema: string } | null): string | null {
  if (found === null) return null;
  const parsed: ParsedSchema = parseSchema(found.schema);
  return rootNameOf(parsed);
}

async function inTurns<T, R>(items: readonly T[], ask: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += AT_ONCE) results.push(...(await Promise.all(items.slice(at, at + AT_ONCE).map(ask))));
  return results;
}
