import { expect } from 'chai';
import { ConfigurationError, CorruptBatchError, FencedError, RecordRefusedError, StateLostError, TransientError } from '../../src/kafka/errors.js';
import { MAX_UNEXPLAINED_LIVES, restartPauseMs, verdictOf, type Verdict } from '../../src/runtime/supervision.js';
import { ProcessorError } from '../../src/runtime/task-core.js';
import { SettingsError } from '../../src/runtime/task-state.js';

describe('supervision', () => {
  const verdicts: readonly (readonly [what: string, error: unknown, verdict: Verdict])[] = [
    ['a newer writer', new FencedError('fenced'), 'fenced'],
    ['a broker that does not answer', new TransientError('gone'), 'again'],
    ['a record that breaks the processor', new ProcessorError('here', '0:7', new Error('broken')), 'poison'],
    ['a watermark that does', new ProcessorError('here', null, new Error('broken')), 'fatal'],
    ['other settings', new SettingsError('other'), 'fatal'],
    ['a position that is gone', new StateLostError('gone'), 'fatal'],
    ['a log that is corrupt', new CorruptBatchError('corrupt'), 'fatal'],
    ['a record the broker refuses', new RecordRefusedError('too large'), 'fatal'],
    ['a missing topic', new ConfigurationError('no topic'), 'fatal'],
    ['anything else', new Error('who knows'), 'again'],
  ];
  for (const [what, error, verdict] of verdicts) it(`${what}: ${verdict}`, () => expect(verdictOf(error, 1)).to.equal(verdict));

  it('gives an error nobody knows a number of lives, one of a broker that is away any', () => {
    expect(verdictOf(new Error('who knows'), MAX_UNEXPLAINED_LIVES)).to.equal('fatal');
    expect(verdictOf(new TransientError('gone'), 1_000_000)).to.equal('again');
  });

  it('waits twice as long each time, from 100 ms to 10 s', () => {
    expect([0, 1, 2, 5, 6, 7, 1_000].map(restartPauseMs)).to.deep.equal([100, 200, 400, 3_200, 6_400, 10_000, 10_000]);
  });
});
