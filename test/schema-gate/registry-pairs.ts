import { checkSchema } from '../../src/schema-gate/gate.js';
import { NO_GATE_FILE } from '../../src/schema-gate/gate-rules.js';
import { COMPATIBILITY_LEVELS, type CompatibilityLevel } from '../../src/schema-gate/levels.js';
import { parseSchema } from '../../src/schema-gate/schema-parser.js';
import { Dice, randomEdit, randomSchema, type Json } from './random-schema.js';

/*
 * The checker beside a real registry: random schemas and edits of them, each decided by both.
 */

export type Verdict = 'compatible' | 'incompatible' | 'invalid';

/** A candidate beside the versions of one subject, with both verdicts. */
export interface Comparison {
  readonly seed: number;
  readonly level: CompatibilityLevel;
  readonly versions: readonly Json[];
  readonly candidate: Json;
  readonly ours: Verdict;
  readonly theirs: Verdict;
  readonly reason: string;
}

const CANDIDATES = 40;
const MEDIA_TYPE = 'application/vnd.schemaregistry.v1+json';

interface Answer {
  readonly status: number;
  readonly body: { readonly is_compatible?: boolean; readonly reason?: string; readonly message?: string };
}

class UnexpectedAnswer extends Error {
  override name = 'UnexpectedAnswer';
}

class Registry {
  private readonly url: string;

  constructor(url: string) {
    this.url = url.split(',')[0] ?? url;
  }

  async ask(method: string, path: string, body?: object): Promise<Answer> {
    const response = await fetch(`${this.url}/${path}`, { method, headers: { 'content-type': MEDIA_TYPE }, ...(body !== undefined && { body: JSON.stringify(body) }) });
    return { status: response.status, body: JSON.parse((await response.text()) || '{}') as Answer['body'] };
  }
}

export function ourVerdict(candidate: Json, versions: readonly Json[], level: CompatibilityLevel): { readonly verdict: Verdict; readonly reason: string } {
  const parsed = parseSchema(JSON.stringify(candidate));
  if (parsed.problems.length > 0) return { verdict: 'invalid', reason: parsed.problems.map(({ message }) => message).join('; ') };
  const series = [{ subject: null, versions: versions.map((version, index) => ({ label: `v${index + 1}`, parsed: parseSchema(JSON.stringify(version)) })) }];
  const found = checkSchema({ file: 'candidate', name: 'candidate', parsed }, series, { rules: NO_GATE_FILE, groups: ['compatibility'], level, decoders: [] });
  return { verdict: found.length === 0 ? 'compatible' : 'incompatible', reason: found.map(({ message }) => message).join(' | ') };
}

/** One subject: a schema, up to two later versions, a level, and candidates. Leaves no subject behind. */
async function comparedSubject(registry: Registry, seed: number, subject: string): Promise<readonly Comparison[]> {
  const dice = new Dice(seed);
  const level = dice.one(COMPATIBILITY_LEVELS);
  const versions: Json[] = [];
  const path = `subjects/${encodeURIComponent(subject)}`;
  await registry.ask('PUT', `config/${encodeURIComponent(subject)}`, { compatibility: 'NONE' });
  try {
    let schema = randomSchema(dice);
    for (let left = 1 + dice.below(3); left > 0; left--) {
      const known = new Set(versions.map((version) => JSON.stringify(version)));
      const isUsable = parseSchema(JSON.stringify(schema)).problems.length === 0 && !known.has(JSON.stringify(schema));
      if (isUsable && (await registry.ask('POST', `${path}/versions`, { schema: JSON.stringify(schema) })).status < 300) versions.push(schema);
      schema = randomEdit(dice, versions.at(-1) ?? randomSchema(dice));
    }
    await registry.ask('PUT', `config/${encodeURIComponent(subject)}`, { compatibility: level });
    const comparisons: Comparison[] = [];
    for (let left = versions.length === 0 ? 0 : CANDIDATES; left > 0; left--) {
      const candidate = dice.chance(0.04) ? randomSchema(dice) : randomEdit(dice, dice.one(versions));
      // Asked about a subject as a whole, the registry looks at all versions whatever the level; about one version, at that one.
      const asked = level.endsWith('_TRANSITIVE') ? 'versions' : 'versions/latest';
      const { status, body } = await registry.ask('POST', `compatibility/${path}/${asked}?verbose=true`, { schema: JSON.stringify(candidate) });
      if (status === 404) throw new UnexpectedAnswer(`${status} ${body.message ?? ''}`);
      // It answers 500 to some defaults of the wrong type.
      const theirs: Verdict = status >= 400 ? 'invalid' : body.is_compatible === true ? 'compatible' : 'incompatible';
      const { verdict, reason } = ourVerdict(candidate, versions, level);
      comparisons.push({ seed, level, versions, candidate, ours: verdict, theirs, reason: `ours: ${reason}; theirs: ${status} ${body.reason ?? body.message ?? ''}` });
    }
    return comparisons;
  } finally {
    await registry.ask('DELETE', path);
    await registry.ask('DELETE', `${path}?permanent=true`);
  }
}

const AT_ONCE = 8;

/** A registry that loses a subject it just took, as happens under load, is asked once more, about another. */
async function patiently(registry: Registry, seed: number, subject: string): Promise<readonly Comparison[]> {
  try {
    return await comparedSubject(registry, seed, subject);
  } catch (error) {
    if (!(error instanceof UnexpectedAnswer)) throw error;
    return comparedSubject(registry, seed, `${subject}_again`);
  }
}

/** At least so many pairs, from the seed on, under subjects with the prefix. */
export async function comparePairs(url: string, prefix: string, seed: number, pairs: number): Promise<readonly Comparison[]> {
  const registry = new Registry(url);
  const comparisons: Comparison[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (comparisons.length < pairs) {
        const own = next++;
        comparisons.push(...(await patiently(registry, seed + own, `${prefix}${own}`)));
      }
    }),
  );
  return comparisons.sort((a, b) => a.seed - b.seed);
}

/** Where a registry may decide otherwise, and why that is right of us. Anything else is a mistake. */
export const EXPLAINED: readonly { readonly what: string; readonly why: string; readonly covers: (comparison: Comparison) => boolean }[] = [
  {
    what: 'a schema that is none, at level NONE',
    why: 'the registry does not read a schema that it compares with nothing; here every schema must be one',
    covers: ({ ours, theirs, level }) => ours === 'invalid' && theirs === 'compatible' && level === 'NONE',
  },
  {
    what: 'one name for two types',
    why: "the registry's parser lets a type inside a record take the record's own name; Avro forbids it, and other parsers (avsc) refuse it",
    covers: ({ ours, reason }) => ours === 'invalid' && reason.includes('is defined twice'),
  },
  {
    what: "an alias that finds a field beside the one of the field's own name",
    why: 'no reader can be made of it; the registry fails at that and calls the schema invalid, here it is a finding',
    covers: ({ ours, theirs, reason }) => ours === 'incompatible' && theirs === 'invalid' && /field \w+, aliases [\w, ]+( for|;)/.test(reason),
  },
  {
    what: 'a default that does not fit its type',
    why: 'the registry compares without looking at defaults; a reader that needs the default fails on it',
    covers: ({ ours, reason }) => ours === 'invalid' && reason.includes('does not fit its type'),
  },
];
