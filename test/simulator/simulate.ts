import { Delivery } from './delivery.js';
import { makeInstrument } from './instrument.js';
import { Market, type Step } from './market.js';
import { planOf, type Plan, type SimulationOptions } from './options.js';
import { Random } from './random.js';
import { Recorder } from './recorder.js';
import { Trader, type Started } from './trader.js';
import type { Truth } from '../truth/truth.js';

export interface Simulation {
  /** Lines of a capture file, without line ends, in order of arrival. */
  lines: string[];
  truth: Truth;
}

/** Makes a whole session with its truth in memory. */
export function simulate(options: SimulationOptions): Simulation {
  const plan = planOf(options);
  const markets = makeMarkets(plan);
  const recorder = new Recorder(markets, plan.accounts > 1);
  const lines: string[] = [];
  const stats = { value: {} as Record<string, number> };
  for (const line of play(plan, markets, recorder, stats)) lines.push(line);
  return { lines, truth: recorder.truth(plan.scenario, plan.seed, stats.value) };
}

/** The lines of a session of any length in bounded memory, without its truth. */
export function simulateLines(options: SimulationOptions): Generator<string> {
  const plan = planOf(options);
  return play(plan, makeMarkets(plan), null, { value: {} });
}

function makeMarkets(plan: Plan): Market[] {
  const { trouble } = plan;
  const markets: Market[] = [];
  for (let account = 0; account < plan.accounts; account++) {
    for (let asset = 0; asset < plan.assets; asset++) {
      const random = new Random(plan.seed, 1000003 * account + 7 * asset + 1);
      const on = makeInstrument(asset, random.chance(trouble.inverse), trouble.varied > 0, random);
      const hedge = random.chance(trouble.hedge);
      markets.push(new Market(on, account, hedge, random, trouble, plan.startTimeMs));
    }
  }
  return markets;
}

interface Source {
  market: Market;
  steps: Iterator<Step | Started, void>;
  next: Step | Started;
  index: number;
}

function* play(plan: Plan, markets: readonly Market[], recorder: Recorder | null, stats: { value: Record<string, number> }): Generator<string> {
  const delivery = new Delivery(plan.trouble, new Random(plan.seed, 0), plan.accounts > 1, recorder ? (message) => recorder.delivered(message) : null);
  let end = plan.startTimeMs;
  for (const { market, next } of inOrderOfTime(plan, markets)) {
    end = next.at;
    yield* delivery.arrivedBefore(next.at);
    if ('started' in next) {
      recorder?.begin(market);
      for (const message of market.snapshot(next.at).messages) delivery.send(message);
      continue;
    }
    for (const event of next.events) recorder?.record(market, event);
    for (const message of next.messages) delivery.send(message);
  }
  for (const [i, market] of markets.entries()) {
    for (const message of market.snapshot(end + 3000 + 50 * i).messages) delivery.send(message);
  }
  yield* delivery.arrivedBefore(Infinity);
  stats.value = { ...delivery.stats };
}

/** Merges the assets' steps by time, ties by asset. */
function* inOrderOfTime(plan: Plan, markets: readonly Market[]): Generator<Source> {
  const sources: Source[] = [];
  markets.forEach((market, index) => {
    const random = new Random(plan.seed, 5000011 + index);
    const share = Math.floor(plan.orders / markets.length) + (index < plan.orders % markets.length ? 1 : 0);
    const steps = new Trader(market, plan, random).run(share);
    const first = steps.next();
    if (!first.done) insert(sources, { market, steps, next: first.value, index });
  });
  for (let source = sources.pop(); source; source = sources.pop()) {
    yield source;
    const following = source.steps.next();
    if (!following.done) insert(sources, { ...source, next: following.value });
  }
}

/** Keeps the list sorted with the earliest last. */
function insert(sources: Source[], source: Source): void {
  let low = 0;
  let high = sources.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = sources[middle] as Source;
    const later = other.next.at > source.next.at || (other.next.at === source.next.at && other.index > source.index);
    if (later) low = middle + 1;
    else high = middle;
  }
  sources.splice(low, 0, source);
}
