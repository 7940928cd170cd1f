import { expect } from 'chai';
import { parseGateFile } from '../../src/schema-versions/gate-file.js';

describe('the gate file', () => {
  it('says levels, styles, decoder and exceptions, each exception with its line', () => {
    const rules = parseGateFile(
      'gate.yaml',
      'level: FULL\ndecoder: strict\nstyle: [field-name]\nsubjects:\n  Fill: BACKWARD\nexceptions:\n  - rule: doc-missing\n    field: Fill.a\n    reason: old\n  - { rule: record-removed, field: Order, reason: gone }\n',
    );
    expect(rules.problems).to.deep.equal([]);
    expect(rules).to.deep.include({ level: 'FULL', isDecoderStrict: true, style: ['float-amount', 'field-name'] });
    expect([...rules.subjectLevels]).to.deep.equal([['Fill', 'BACKWARD']]);
    expect(rules.exceptions).to.deep.equal([
      { rule: 'doc-missing', subject: 'Fill.a', reason: 'old', line: 7, column: 5 },
      { rule: 'record-removed', subject: 'Order', reason: 'gone', line: 10, column: 5 },
    ]);
  });

  it('may be empty', () => expect(parseGateFile('gate.yaml', '# nothing\n')).to.deep.include({ level: 'FULL_TRANSITIVE', problems: [], exceptions: [] }));

  const wrong: readonly (readonly [string, string, number, number])[] = [
    ['levle: FULL', 'the file has no "levle"; it has level, subjects', 1, 1],
    ['level: STRICT', 'level must be one of FULL_TRANSITIVE', 1, 8],
    ['subjects:\n  Fill: full', 'level must be one of', 2, 9],
    ['subjects: [Fill]', '"subjects" must be a mapping', 1, 11],
    ['style: [tabs]', 'style rule must be one of', 1, 9],
    ['exceptions:\n  - rule: doc-missing\n    field: A.b', 'lacks its reason', 2, 5],
    ['exceptions:\n  - rule: doc-missing\n    field: A.b\n    reason: " "', 'lacks its reason', 2, 5],
    ['exceptions:\n  - rule: docs-missing\n    field: A.b\n    reason: x', 'there is no rule docs-missing', 2, 5],
    ['exceptions:\n  - rule: type-mismatch\n    field: A.b\n    reason: x', 'cannot be excepted', 2, 5],
    ['exceptions:\n  - rule: doc-missing\n    field: A.b\n    reason: x\n    until: 2030', 'an exception has no "until"', 5, 5],
    ['level: [', 'Flow sequence', 1, 9],
    ['level: FULL\nlevel: NONE', 'Map keys must be unique', 2, 1],
  ];
  for (const [text, message, line, column] of wrong) {
    it(`refuses ${JSON.stringify(text.slice(0, 40))} at its place`, () => {
      const { problems } = parseGateFile('gate.yaml', text);
      expect(problems[0]?.message).to.include(message);
      expect(problems[0]).to.include({ line, column });
    });
  }
});
