import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { abortAny } from '../../src/runtime/abort-any.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

describe('a signal of several', () => {
  it('is aborted with the first of them, for its reason', () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const signal = abortAny([first.signal, second.signal]);
    expect(signal.aborted).to.equal(false);
    second.abort('the second');
    first.abort('the first');
    expect(signal.reason).to.equal('the second');
    expect(abortAny([new AbortController().signal, first.signal]).reason).to.equal('the first');
  });

  it('is aborted at a deadline that nobody else holds, whatever is collected before', async () => {
    const signal = abortAny([new AbortController().signal, AbortSignal.timeout(100)]);
    for (let round = 0; round < 20 && !signal.aborted; round++) {
      collect();
      await pause(20, undefined, { signal }).catch(() => undefined);
    }
    expect(signal.aborted).to.equal(true);
  });
});
