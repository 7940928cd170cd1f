import { expect } from 'chai';
import { canonicalJson } from '../../src/domain/canonical-json.js';
import type { LinkerOptions } from '../../src/position-linker/market.js';
import { scenario } from '../simulator/scenarios.js';
import { simulate } from '../simulator/simulate.js';
import { linkCapture, LINKER_INPUTS, LINKER_OUTPUTS, PlainLog, runProcessor } from './core-pipeline.js';
import { deliveredAnew } from './delivered-anew.js';
import { RestartingLinker } from './restarting-linker.js';

/** A log with the linker's inputs alone. */
function inputsOf(log: PlainLog): PlainLog {
  const inputs = new PlainLog();
  for (const topic of LINKER_INPUTS) inputs.topics.set(topic, log.of(topic));
  return inputs;
}

/** Everything the linker wrote, watermarks too, as text in its sequence per topic. */
function written(log: PlainLog): string[] {
  return LINKER_OUTPUTS.flatMap((topic) => log.of(topic).map(({ key, eventMs, type, value }) => `${topic} ${key} ${eventMs} ${type} ${canonicalJson(value)}`));
}

const TROUBLED = ['everything', 'shaken-mid-start', 'shaken-lost-executions', 'shaken-orders-only', 'shaken-lost-positions', 'hidden-trades', 'no-seq', 'late-orders'];

const HORIZONS: readonly (readonly [string, Partial<LinkerOptions>])[] = [
  ['the usual horizon', {}],
  ['a horizon of 40 events', { horizonEvents: 40 }],
  ['a horizon of 6 events', { horizonEvents: 6 }],
  ['a horizon of 10 seconds', { horizonMs: 10_000 }],
];

describe('restarts of the linker', () => {
  TROUBLED.forEach((name, seed) => {
    // Every session with two of the horizons; every other one late and in disorder: what waits, and what may still be
    // corrected, must outlive a restart as well.
    [HORIZONS[seed % 4]!, HORIZONS[(seed + 1 + (seed >> 2)) % 4]!].forEach(([told, horizon], i) => {
      it(`${name} (seed ${seed}), ${told}: what is written is the same bytes, wherever it restarts`, () => {
        const options = { ...horizon, policy: seed % 2 === 0 ? 'pro-rata' : 'fifo' } as const;
        const { lines } = simulate(scenario(name, seed, { assets: 2, orders: 9 }));
        const { log } = linkCapture(seed % 2 === 0 ? deliveredAnew(lines, seed) : lines, options);
        const straight = written(log);
        expect(straight.length).to.be.greaterThan(20);
        const every = i === 0 ? 5 : 23;
        const restarted = inputsOf(log);
        const linker = new RestartingLinker(options, every, seed);
        runProcessor(linker, restarted, LINKER_INPUTS, LINKER_OUTPUTS);
        expect(linker.restarts).to.be.greaterThan(1);
        const found = written(restarted);
        const at = found.findIndex((text, n) => text !== straight[n]);
        expect(found[at], `restart every ${every} steps: record ${at}`).to.equal(straight[at]);
        expect(found.length, `restart every ${every} steps`).to.equal(straight.length);
      });
    });
  });

  // What was derived on the way is not in a snapshot: nothing that is written may depend on it.
  for (const [name, seed, every, isDeliveredAnew] of [['active', 1, 20, true], ['shaken-orders-only', 2, 7, false], ['shaken-orders-only', 2, 20, false], ['late-orders', 3, 31, true], ['everything', 1069, 7, true]] as const) {
    it(`${name} (seed ${seed}), from snapshots: what is written is the same bytes, restarted every ${every} steps`, () => {
      const { lines } = simulate(scenario(name, seed, { orders: 40 }));
      const { log } = linkCapture(isDeliveredAnew ? deliveredAnew(lines, seed) : lines);
      const straight = written(log);
      const restarted = inputsOf(log);
      const linker = new RestartingLinker({}, every, seed, 400);
      runProcessor(linker, restarted, LINKER_INPUTS, LINKER_OUTPUTS);
      expect([...linker.store.keys()].some((key) => key.includes('|snapshot'))).to.equal(true);
      const found = written(restarted);
      const at = found.findIndex((text, n) => text !== straight[n]);
      expect(found[at], `record ${at}`).to.equal(straight[at]);
      expect(found.length).to.equal(straight.length);
    });
  }
});
