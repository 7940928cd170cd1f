/** Writes a simulated session into a folder: `--scenario NAME --seed N --assets N --orders N --trouble name=rate… --out DIR`, `--no-truth` for long ones. */
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { isTroubleName, type SimulationOptions, type Trouble } from './options.js';
import { scenario } from './scenarios.js';
import { simulate, simulateLines } from './simulate.js';

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', default: 'clean' },
    seed: { type: 'string', default: '1' },
    assets: { type: 'string' },
    orders: { type: 'string' },
    accounts: { type: 'string' },
    gap: { type: 'string' },
    trouble: { type: 'string', multiple: true, default: [] },
    out: { type: 'string' },
    'no-truth': { type: 'boolean', default: false },
  },
});

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} ${text} is not a whole number`);
  return value;
}

function troubles(pairs: readonly string[]): Partial<Trouble> {
  const found: Partial<Trouble> = {};
  for (const pair of pairs) {
    const [name = '', rate = ''] = pair.split('=');
    if (!isTroubleName(name) || !Number.isFinite(Number(rate))) throw new Error(`--trouble ${pair} is not name=number of a known trouble`);
    found[name] = Number(rate);
  }
  return found;
}

const changes: Partial<SimulationOptions> = {
  ...(values.assets ? { assets: whole('assets', values.assets) } : {}),
  ...(values.orders ? { orders: whole('orders', values.orders) } : {}),
  ...(values.accounts ? { accounts: whole('accounts', values.accounts) } : {}),
  ...(values.gap ? { meanGapMs: whole('gap', values.gap) } : {}),
  trouble: troubles(values.trouble),
};
const options = scenario(values.scenario, whole('seed', values.seed), changes);
if (!values.out) throw new Error('--out DIR is missing: the folder for frames.jsonl and truth.json');
mkdirSync(values.out, { recursive: true });
const frames = createWriteStream(join(values.out, 'frames.jsonl'));

async function write(lines: Iterable<string>): Promise<void> {
  let chunk = '';
  for (const line of lines) {
    chunk += `${line}\n`;
    if (chunk.length < 1 << 20) continue;
    if (!frames.write(chunk)) await once(frames, 'drain');
    chunk = '';
  }
  frames.end(chunk);
  await once(frames, 'finish');
}

if (values['no-truth']) {
  await write(simulateLines(options));
} else {
  const { lines, truth } = simulate(options);
  await write(lines);
  writeFileSync(join(values.out, 'truth.json'), JSON.stringify(truth));
}
