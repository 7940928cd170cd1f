import { expect } from 'chai';
import { avscDecoder } from '../../src/avro/resolver-refusals.js';
import type { Decoder } from '../../src/schema-gate/decoder.js';
import { RULE_GROUPS, type RuleGroup } from '../../src/schema-gate/finding.js';
import { checkSchema, withExceptions, type Finding } from '../../src/schema-gate/gate.js';
import { NO_GATE_FILE, type GateRules, type RuleException } from '../../src/schema-gate/gate-rules.js';
import { comparedVersions, COMPATIBILITY_LEVELS, directionsOf, isLooser, type CompatibilityLevel } from '../../src/schema-gate/levels.js';
import { reportText } from '../../src/schema-gate/report.js';
import { schemaDifference } from '../../src/schema-gate/schema-difference.js';
import { parseSchema } from '../../src/schema-gate/schema-parser.js';
import { STYLE_RULES, type StyleRule } from '../../src/schema-gate/style.js';
import { BASE, BREAKING_EDITS } from './breaking-edits.js';

interface Choices {
  readonly rules?: GateRules;
  readonly groups?: readonly RuleGroup[];
  readonly level?: CompatibilityLevel | null;
  readonly decoders?: readonly Decoder[];
  readonly subject?: string | null;
}

function check(now: unknown, before: readonly unknown[], { rules = NO_GATE_FILE, groups = ['compatibility'], level = null, decoders = [], subject = null }: Choices = {}): readonly Finding[] {
  const parsed = (schema: unknown) => parseSchema(typeof schema === 'string' && schema.startsWith('{') ? schema : JSON.stringify(schema, null, 2));
  const versions = before.map((schema, index) => ({ label: `v${index + 1}`, parsed: parsed(schema) }));
  const schema = { file: 'r.avsc', name: 'n.R', parsed: parsed(now) };
  const options = { rules, groups, level, decoders };
  return withExceptions(checkSchema(schema, [{ subject, versions }], options), options, 'whole');
}

const record = (...fields: readonly object[]): object => ({ type: 'record', name: 'R', namespace: 'n', doc: 'R.', fields: fields.map((field) => ({ doc: 'F.', ...field })) });
const rulesOf = (findings: readonly Finding[]): readonly string[] => findings.map(({ rule }) => rule);

describe('levels', () => {
  it('say who reads whom, and how many versions', () => {
    expect(COMPATIBILITY_LEVELS.map((level) => `${level} ${directionsOf(level).join('+')} ${comparedVersions(level, [1, 2, 3]).join()}`)).to.deep.equal([
      'FULL_TRANSITIVE backward+forward 1,2,3', 'FULL backward+forward 3', 'BACKWARD_TRANSITIVE backward 1,2,3', 'BACKWARD backward 3',
      'FORWARD_TRANSITIVE forward 1,2,3', 'FORWARD forward 3', 'NONE  3',
    ]);
  });

  it('are looser if anything passes that was stopped', () => {
    expect(COMPATIBILITY_LEVELS.map((to) => isLooser(to, 'FULL'))).to.deep.equal([false, false, true, true, true, true, true]);
    expect(COMPATIBILITY_LEVELS.map((to) => isLooser(to, 'BACKWARD_TRANSITIVE'))).to.deep.equal([false, true, false, true, true, true, true]);
    expect(COMPATIBILITY_LEVELS.some((to) => isLooser(to, 'NONE'))).to.equal(false);
  });
});

describe('the gate', () => {
  const int = record({ name: 'a', type: 'int' });
  const long = record({ name: 'a', type: 'long' });

  it('takes the level of the subject, else of the record, else of the file, and the chosen one before all', () => {
    const rules = { ...NO_GATE_FILE, level: 'FULL' as const, subjectLevels: new Map([['R', 'BACKWARD'], ['t-n.R', 'NONE']] as const) };
    expect(rulesOf(check(long, [int], { rules: { ...rules, subjectLevels: new Map() } }))).to.deep.equal(['type-mismatch']);
    expect(check(long, [int], { rules })).to.deep.equal([]);
    expect(rulesOf(check(int, [long], { rules }))).to.deep.equal(['type-mismatch']);
    expect(check(int, [long], { rules, subject: 't-n.R' })).to.deep.equal([]);
    expect(rulesOf(check(int, [long], { rules, subject: 't-n.R', level: 'BACKWARD' }))).to.deep.equal(['type-mismatch']);
  });

  it('says once what it found against several versions, in words for each direction', () => {
    const [backward, forward] = check(record({ name: 'a', type: 'string' }), [int, int, long]).map(({ message, against }) => `${against.join()}: ${message}`);
    expect(backward).to.equal('v1,v2: the new schema cannot read records of v2 and 1 earlier; here: string; there: int; instead: keep the type, and add a new field with a default for the new one');
    expect(forward).to.include('v1,v2: new records cannot be read with v2 and 1 earlier');
  });

  it('tells a field that must stay from one that needs a default', () => {
    const [gone] = check(record(), [int], { level: 'FORWARD' });
    expect(gone).to.include({ rule: 'reader-field-without-default', path: '/fields', subject: 'n.R.a' });
    expect(gone?.instead).to.include('keep the field');
    const [come] = check(int, [record()], { level: 'BACKWARD' });
    expect(come).to.include({ path: '/fields/0', subject: 'n.R.a', line: 7 });
    expect(come?.instead).to.include('"default"');
  });

  it('says why the branch that was meant does not take a record', () => {
    const inner = (type: string): object => ({ type: 'record', name: 'I', fields: [{ name: 'b', type }] });
    const [found] = check(record({ name: 'a', type: ['null', inner('int')] }), [record({ name: 'a', type: ['null', inner('string')] })], { level: 'BACKWARD' });
    expect(found).to.include({ rule: 'union-branch-missing', path: '/fields/0/type' });
    expect(found?.what).to.include('int for string');
  });

  it('goes through records that hold themselves, to the end and no further', () => {
    const list = (type: string): object => record({ name: 'head', type }, { name: 'tail', type: ['null', 'R'], default: null });
    expect(check(list('long'), [list('int')], { level: 'BACKWARD' })).to.deep.equal([]);
    expect(rulesOf(check(list('int'), [list('long')], { level: 'BACKWARD' }))).to.include('type-mismatch');
  });

  it('finds what a union could do without where it is needed', () => {
    const part = (type: string): object => ({ type: 'record', name: 'P', fields: [{ name: 'v', type }] });
    const now = record({ name: 'u', type: [{ type: 'record', name: 'X', aliases: ['W'], fields: [{ name: 'p', type: part('int') }] }, { type: 'record', name: 'Y', aliases: ['W'], fields: [] }] }, { name: 'g', type: 'P' });
    const before = record({ name: 'u', type: { type: 'record', name: 'W', fields: [{ name: 'p', type: part('string') }] } }, { name: 'g', type: 'P' });
    expect(check(now, [before], { level: 'BACKWARD' }).map(({ rule, subject }) => [rule, subject])).to.deep.equal([['type-mismatch', 'n.P.v']]);
  });

  it('does not take a record for readable because it was met inside itself', () => {
    const tree = (type: string): object => record({ name: 'child', type: ['null', 'R'] }, { name: 'v', type });
    expect(check(tree('int'), [tree('string')], { level: 'BACKWARD' }).map(({ rule, path }) => [rule, path])).to.deep.equal([['union-branch-missing', '/fields/0/type'], ['type-mismatch', '/fields/1/type']]);
  });

  it('stops each kind of breaking edit by its rule', () => {
    const rules = { ...NO_GATE_FILE, style: Object.keys(STYLE_RULES) as StyleRule[] };
    const decoders = [avscDecoder()];
    for (const { rule, what, from, to } of BREAKING_EDITS) expect(rulesOf(check(BASE.replace(from, to), [BASE], { rules, groups: RULE_GROUPS, decoders })), what).to.include(rule);
    expect(rulesOf(check(BASE, [BASE], { rules, groups: RULE_GROUPS, decoders }))).to.deep.equal(['enum-without-default']);
  });

  it('compares the branches of a union by what they hold', () => {
    const decimal = { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 };
    const hazards = (now: unknown, before: unknown): readonly string[] => rulesOf(check(record({ name: 'a', type: now }), [record({ name: 'a', type: before })], { groups: ['hazards'] }));
    expect(hazards(['null', 'string'], ['null', decimal])).to.deep.equal(['decimal-string']);
    expect(hazards([decimal, 'null'], decimal)).to.deep.equal([]);
    expect(hazards(['null', { ...decimal, scale: 3 }], decimal)).to.deep.equal(['decimal-changed']);
    expect(hazards(['null', 'int', 'string'], ['null', decimal, 'boolean'])).to.deep.equal([]);
    expect(hazards({ type: 'array', items: 'double' }, { type: 'array', items: 'long' })).to.deep.equal(['lossy-promotion']);
    expect(hazards({ type: 'map', values: 'float' }, { type: 'map', values: 'int' })).to.deep.equal(['lossy-promotion']);
    expect(hazards('long', { type: 'int', logicalType: 'date' })).to.deep.equal(['logical-type-changed']);
  });

  it('lets nothing of its own stop what Avro and the meaning allow', () => {
    const now = record(
      { name: 'b', type: 'long', default: 7 }, { name: 'c', aliases: ['a'], type: 'long', default: 0 },
      { name: 'side', type: { type: 'enum', name: 'Side', doc: 'S.', symbols: ['B', 'A', 'Z'], default: 'Z' } }, { name: 'd', type: ['null', 'string'], default: null },
    );
    const before = record(
      { name: 'a', type: 'long', default: 0 }, { name: 'b', type: 'long', default: 7 }, { name: 'side', type: { type: 'enum', name: 'Side', doc: 'S.', symbols: ['A', 'B', 'Z'], default: 'Z' } },
    );
    expect(check(now, [before], { groups: RULE_GROUPS })).to.deep.equal([]);
  });

  it('remembers a rename that was let pass, and forgets it once the field is gone or has its alias', () => {
    const [a, b] = [record({ name: 'a', type: 'int', default: 0 }), record({ name: 'b', type: 'int', default: 0 })];
    const hazards = (now: object, level: CompatibilityLevel): readonly string[] => check(now, [a, b, b], { groups: ['hazards'], level }).map(({ rule, path, against }) => `${rule} ${path} ${against.join()}`);
    expect(hazards(b, 'FULL_TRANSITIVE')).to.deep.equal(['field-renamed-without-alias /fields/0/name v1']);
    expect(hazards(b, 'FULL')).to.deep.equal([]);
    expect(hazards(record({ name: 'b', aliases: ['a'], type: 'int', default: 0 }), 'FULL_TRANSITIVE')).to.deep.equal([]);
    expect(hazards(record(), 'FULL_TRANSITIVE')).to.deep.equal([]);
  });

  it('does not call it a rename where one field went long before another came', () => {
    const versions = [record({ name: 'a', type: 'int', default: 0 }), record()];
    expect(check(record({ name: 'b', type: 'int', default: 0 }), versions, { groups: ['hazards'] })).to.deep.equal([]);
    const renamed = (type: unknown, from: unknown): readonly string[] => rulesOf(check(record({ name: 'b', type }), [record({ name: 'a', type: from })], { groups: ['hazards'] }));
    expect(rulesOf(check(record({ name: 'b', type: 'int', default: 0 }), versions.slice(0, 1), { groups: ['hazards'] }))).to.deep.equal(['field-renamed-without-alias']);
    for (const [type, from] of [['long', 'int'], [['null', 'string'], 'string'], ['string', ['null', 'string']]]) expect(renamed(type, from), `${from} to ${type}`).to.have.length(1);
    for (const [type, from] of [['string', 'int'], [['null', 'string'], ['null', 'int']]]) expect(renamed(type, from), `${from} to ${type}`).to.deep.equal([]);
  });

  it('speaks of an earlier version that is none', () => {
    const [found] = check(int, ['{'], { groups: ['hazards'] });
    expect(found).to.include({ rule: 'invalid-schema', line: 1 });
    expect(found?.message).to.include('since v1');
  });

  it('asks the decoder in both directions, and points at the part that it refuses', () => {
    const decoder: Decoder = {
      name: 'strange',
      unusable: () => null,
      refusals: (reader) => (JSON.stringify(reader).includes('long') ? [{ readerSteps: [{ field: 'a' }], writerSteps: [{ field: 'a' }], message: 'no longs' }] : []),
    };
    expect(check(long, [int], { groups: ['decoder'], decoders: [decoder] }).map(({ path, line, message }) => [path, line, message.split(';')[0]])).to.deep.equal([['/fields/0/type', 10, 'the new schema cannot read records of v1 by strange: no longs']]);
    expect(check(int, [long], { groups: ['decoder'], decoders: [decoder] }).map(({ what }) => what)).to.deep.equal(['new records cannot be read with v1 by strange: no longs']);
  });
});

describe('exceptions', () => {
  const exception = (rule: string, subject: string): RuleException => ({ rule, subject, reason: 'because', line: 3, column: 5 });
  const now = record({ name: 'a', type: 'int', default: 1 });
  const before = record({ name: 'a', type: 'int', default: 2 });
  const withRules = (...exceptions: readonly RuleException[]): Choices => ({ rules: { ...NO_GATE_FILE, file: 'gate.yaml', exceptions }, groups: ['hazards'] });

  it('let one rule pass at one field, with or without its namespace', () => {
    expect(rulesOf(check(now, [before], withRules()))).to.deep.equal(['default-changed']);
    for (const subject of ['R.a', 'n.R.a']) expect(check(now, [before], withRules(exception('default-changed', subject)))).to.deep.equal([]);
  });

  it('for changes that are not looked at let nothing pass and are none', () => {
    const rules = { ...NO_GATE_FILE, file: 'gate.yaml', exceptions: [exception('default-changed', 'R.b')] };
    const options = { rules, groups: ['hazards'] as const, level: null, decoders: [] };
    expect(withExceptions([], options, 'whole')).to.have.length(1);
    expect([...withExceptions([], options, 'part'), ...withExceptions([], options, 'none'), ...withExceptions([], { ...options, groups: ['style'] }, 'whole')]).to.deep.equal([]);
    // At a level that asks the latest version only, a change that was let pass is soon out of sight.
    expect(withExceptions([], { ...options, rules: { ...rules, subjectLevels: new Map([['R', 'FULL']]) } }, 'whole')).to.deep.equal([]);
  });

  it('are findings themselves where they let nothing pass', () => {
    for (const other of [exception('default-changed', 'R.b'), exception('doc-missing', 'R.a'), exception('default-changed', 'a.R.a')]) {
      expect(check(now, [before], withRules(other)).map(({ file, rule, line, column }) => [file, rule, line, column])).to.deep.include(['gate.yaml', 'unused-exception', 3, 5]);
    }
  });
});

describe('reports', () => {
  const findings = check(BASE.replace('"scale": 18', '"scale": 8'), [BASE], { groups: ['hazards'] }).filter(({ rule }) => rule === 'decimal-changed');
  const report = { findings, files: ['r.avsc', 'other.avsc'], versions: 1, against: 'git:main' };

  it('in text name file, line and column first, then both sides and the way out', () => {
    expect(reportText(report, 'text')).to.equal(
      'r.avsc:8:103: hazards/decimal-changed /fields/1/type/scale (desk.Trade.price)\n  the scale changed in the decimal of field desk.Trade.price since v1\n  here:    bytes (decimal(38, 8))\n' +
        '  there:   bytes (decimal(38, 18))\n  instead: keep precision and scale; for others add a new field and write both until nobody reads the old one\n1 finding: 2 schemas against 1 earlier version in git:main\n',
    );
    expect(reportText({ ...report, findings: [] }, 'text')).to.equal('clean: 2 schemas against 1 earlier version in git:main\n');
  });

  it('in JSON hold everything', () => {
    const { findings: written } = JSON.parse(reportText(report, 'json')) as { readonly findings: readonly object[] };
    expect(written[0]).to.include({ file: 'r.avsc', line: 8, column: 103, path: '/fields/1/type/scale', rule: 'decimal-changed', group: 'hazards', here: 'bytes (decimal(38, 8))' });
    expect(written[0]).to.have.property('message').that.includes('there: bytes (decimal(38, 18))');
  });

  const odd = { ...findings[0]!, file: 'a,b:c.avsc', message: '50% <"of"> & \u0001\nmore' };

  it('for GitHub escape what would end a command or a property', () => {
    expect(reportText({ ...report, findings: [odd] }, 'github-actions').split('\n')[0]).to.equal('::error file=a%2Cb%3Ac.avsc,line=8,col=103,title=hazards/decimal-changed::/fields/1/type/scale: 50%25 <"of"> & \u0001%0Amore');
  });

  it('in JUnit have a case for each schema, and are well-formed', () => {
    const text = reportText({ ...report, findings: [odd, findings[0]!] }, 'junit');
    expect(text).to.include('tests="3" failures="2"').and.include('name="other.avsc" file="other.avsc"/>').and.include('50% &lt;&quot;of&quot;&gt; &amp; \ufffd');
    expect(text.match(/<failure /g)).to.have.length(2);
  });
});

describe('the difference of two schemas', () => {
  it('has a line for everything that changed', () => {
    const now = record({ name: 'b', type: 'long', default: 1, aliases: ['z'] }, { name: 'a', type: 'int', doc: 'Other.' }, { name: 'd', type: { type: 'enum', name: 'E', symbols: ['A', 'B'] } });
    const before = record({ name: 'a', type: 'int' }, { name: 'b', type: 'int' }, { name: 'c', type: 'string' }, { name: 'd', type: { type: 'enum', name: 'E', symbols: ['A'], default: 'A' } });
    const lines = schemaDifference(parseSchema(JSON.stringify(now)).root!, parseSchema(JSON.stringify(before)).root!);
    expect(lines).to.deep.equal([
      '~ R.b: int → long, default 1, aliases z', '~ R.a doc: "F." → "Other."', '- R.c: string', '~ R: the order of its fields', '~ E symbols: A → A, B', '~ E default: A → none',
    ]);
    expect(schemaDifference(parseSchema(JSON.stringify(now)).root!, parseSchema(JSON.stringify(now)).root!)).to.deep.equal([]);
  });
});
