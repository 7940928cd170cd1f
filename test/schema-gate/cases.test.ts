import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { avscDecoder } from '../../src/avro/resolver-refusals.js';
import { incompatibilities } from '../../src/schema-gate/compatibility.js';
import type { RuleGroup } from '../../src/schema-gate/finding.js';
import { checkSchema, type Finding } from '../../src/schema-gate/gate.js';
import { NO_GATE_FILE } from '../../src/schema-gate/gate-rules.js';
import type { CompatibilityLevel } from '../../src/schema-gate/levels.js';
import { parseSchema } from '../../src/schema-gate/schema-parser.js';

interface Pair {
  readonly id: string;
  readonly reader: unknown;
  readonly writer: unknown;
  readonly compatible: boolean;
  readonly rules?: readonly string[];
  readonly avsc?: string;
}

interface Cases {
  readonly pairs: readonly Pair[];
  readonly levels: readonly { readonly id: string; readonly level: CompatibilityLevel; readonly previous: readonly unknown[]; readonly candidate: unknown; readonly compatible: boolean }[];
  readonly hazards: readonly { readonly id: string; readonly what: string; readonly reader: unknown; readonly writer: unknown; readonly harmful: boolean }[];
}

const cases = JSON.parse(readFileSync(new URL('../cases/avro-compatibility.json', import.meta.url), 'utf8')) as Cases;

/** Apache Avro's names of the incompatibilities. */
const APACHE: Readonly<Record<string, string>> = {
  'type-mismatch': 'TYPE_MISMATCH',
  'union-branch-missing': 'MISSING_UNION_BRANCH',
  'name-mismatch': 'NAME_MISMATCH',
  'fixed-size-mismatch': 'FIXED_SIZE_MISMATCH',
  'enum-symbols-missing': 'MISSING_ENUM_SYMBOLS',
  'reader-field-without-default': 'READER_FIELD_MISSING_DEFAULT_VALUE',
};

const decoders = [avscDecoder()];

function findings(candidate: unknown, previous: readonly unknown[], groups: readonly RuleGroup[], level: CompatibilityLevel | null): readonly Finding[] {
  const versions = previous.map((schema, index) => ({ label: `version ${index + 1}`, parsed: parseSchema(JSON.stringify(schema)) }));
  const schema = { file: 'a.avsc', name: 'a', parsed: parseSchema(JSON.stringify(candidate, null, 2)) };
  return checkSchema(schema, [{ subject: null, versions }], { rules: NO_GATE_FILE, groups, level, decoders });
}

describe('the cases of other implementations', () => {
  it('are complete', () => expect([cases.pairs.length, cases.levels.length, cases.hazards.length]).to.deep.equal([265, 175, 11]));

  it('265 readers and writers are decided as Apache Avro decides them, each incompatibility by its own rule', () => {
    const wrong = cases.pairs.filter(({ reader, writer, compatible, rules = [] }) => {
      const [r, w] = [parseSchema(JSON.stringify(reader)), parseSchema(JSON.stringify(writer))];
      const found = incompatibilities(r.root!, w.root!);
      return r.problems.length + w.problems.length > 0 || (found.length === 0) !== compatible || found.map(({ rule }) => APACHE[rule]).join() !== rules.join();
    });
    expect(wrong.map(({ id }) => id)).to.deep.equal([]);
  });

  it('175 candidates are decided as their level says', () => {
    const wrong = cases.levels.filter(({ level, previous, candidate, compatible }) => (findings(candidate, previous, ['compatibility'], level).length === 0) !== compatible);
    expect(wrong.map(({ id }) => id)).to.deep.equal([]);
  });

  it('the decoder resolves what Avro allows, but for the disagreements that are listed', () => {
    const wrong = cases.pairs.filter(({ reader, writer, compatible, avsc }) => (findings(reader, [writer], ['decoder'], 'BACKWARD').length === 0) !== (compatible && avsc === undefined));
    expect(wrong.map(({ id }) => id)).to.deep.equal([]);
  });

  it('the decoder is asked part by part, so that a finding points at the type that it stumbles over', () => {
    const nested = cases.pairs.find(({ id }) => id === 'pair-069')!;
    expect(findings(nested.reader, [nested.writer], ['decoder'], 'FULL').map(({ path, message }) => `${path} ${message.split(': ')[1]?.split(';')[0]}`)).to.deep.equal([
      '/fields/0/type/1/items/name no alias found for ns2.InnerRecord1', '/fields/0/type/1/items/name no alias found for ns1.InnerRecord1',
    ]);
  });

  for (const { id, what, reader, writer, harmful } of cases.hazards) {
    it(`${id}, ${what}: ${harmful ? 'is stopped by a rule of its own' : 'changes no meaning'}`, () => {
      expect(findings(reader, [writer], ['compatibility', 'decoder'], 'BACKWARD')).to.deep.equal([]);
      const own = findings(reader, [writer], ['hazards'], null).filter(({ rule }) => rule !== 'doc-missing' && rule !== 'enum-without-default');
      expect(own.length > 0).to.equal(harmful);
    });
  }
});
