import { expect } from 'chai';
import { GuidedError } from '../../src/config/guided-error.js';
import { ConfigurationError, CorruptBatchError, StateLostError, TransientError } from '../../src/kafka/errors.js';
import { DatabaseError } from '../../src/postgres/database-error.js';
import { OffsetsMovedError } from '../../src/postgres/sink-offsets.js';
import { MAX_UNEXPLAINED_ATTEMPTS, retryLevel, retryPauseMs, sinkVerdict, type SinkVerdict } from '../../src/postgres/sink-supervision.js';
import { SettingsError } from '../../src/runtime/task-state.js';

describe('what a sink does about an error', () => {
  const cases: readonly [string, unknown, SinkVerdict][] = [
    ['offsets moved by another writer', new OffsetsMovedError([1]), 'moved'],
    ['connection lost', new DatabaseError('x', 'transient', null), 'again'],
    ['table missing', new DatabaseError('x', 'configuration', '42P01'), 'fatal'],
    ['a refused value where no row is written', new DatabaseError('x', 'row', '22P02'), 'fatal'],
    ['broker away', new TransientError('x'), 'again'],
    ['records gone', new StateLostError('x'), 'fatal'],
    ['corrupt batch', new CorruptBatchError('x'), 'fatal'],
    ['no such topic', new ConfigurationError('x'), 'fatal'],
    ['other settings', new SettingsError('x'), 'fatal'],
    ['no tables', new GuidedError('x', 'y'), 'fatal'],
    ['an error nobody foresaw', new TypeError('x'), 'again'],
  ];
  for (const [what, error, verdict] of cases) {
    it(`${what}: ${verdict}`, () => {
      expect(sinkVerdict(error, 0)).to.equal(verdict);
    });
  }

  it('gives up on an error nobody foresaw after some attempts, on a database that is away never', () => {
    expect(sinkVerdict(new TypeError('x'), MAX_UNEXPLAINED_ATTEMPTS)).to.equal('fatal');
    expect(sinkVerdict(new DatabaseError('x', 'transient', null), 1_000_000)).to.equal('again');
  });

  it('waits longer each time, at most 5 s, and grows louder', () => {
    expect([0, 1, 2, 6, 7, 1_000].map(retryPauseMs)).to.deep.equal([50, 100, 200, 3_200, 5_000, 5_000]);
    expect([0, 1, 5, 6, 100].map(retryLevel)).to.deep.equal(['info', 'warn', 'warn', 'error', 'error']);
  });
});
