import { expect } from 'chai';
import { signalReader } from '../../src/domain/signal.js';

describe('signal id of a client order id', () => {
  const cases: readonly [string, string | null][] = [
    ['ceb53aae458f46cfab361b0ddbf56980_5', 'ceb53aae458f46cfab361b0ddbf56980'],
    ['ceb53aae458f46cfab361b0ddbf56980', 'ceb53aae458f46cfab361b0ddbf56980'],
    ['model-a_17_3', 'model-a_17'],
    ['model_a', 'model_a'],
    ['s_12x', 's_12x'],
    ['s_', 's_'],
    ['s-12', 's-12'],
    ['_5', null],
    ['', null],
  ];
  for (const [linkId, signal] of cases) {
    it(`${JSON.stringify(linkId)} names ${JSON.stringify(signal)}`, () => {
      expect(signalReader()(linkId)).to.equal(signal);
    });
  }

  it('takes the first group of a pattern of its own', () => {
    const read = signalReader('^sig-([a-z]+)');
    expect(read('sig-abc-7')).to.equal('abc');
    expect(read('manual-7')).to.equal(null);
  });

  it('refuses what is no regular expression', () => {
    expect(() => signalReader('(')).to.throw(SyntaxError);
  });
});
