/*
 * Disconnects, and everything else that can go wrong between an exchange and the gateway:
 *
 *   node --import tsx test/fake-exchange/main.ts [--seed N] [--disconnects 100] [--every-ms 3000] [--faults drop,kill] [--redundant] [--keep]
 */
import { parseArgs } from 'node:util';
import { FAULTS, runCampaign, type FaultName } from './campaign.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' }, disconnects: { type: 'string', default: '100' }, 'every-ms': { type: 'string', default: '3000' }, faults: { type: 'string', default: FAULTS.join() },
    'mean-gap-ms': { type: 'string', default: '300' }, redundant: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false },
  },
});
const disconnects = Number(values.disconnects);
const everyMs = Number(values['every-ms']);
const meanGapMs = Number(values['mean-gap-ms']);
const faults = values.faults.split(',');
for (const fault of faults) if (!(FAULTS as readonly string[]).includes(fault)) throw new Error(`--faults ${fault}: there are ${FAULTS.join(', ')}`);
const result = await runCampaign({
  seed: Number(values.seed), disconnects, everyMs, faults: faults as FaultName[], orders: Math.ceil((disconnects * everyMs) / meanGapMs), meanGapMs, redundant: values.redundant, keep: values.keep,
  say: (line) => void process.stderr.write(`${line}\n`),
});
for (const difference of result.differences.slice(0, 50)) process.stdout.write(`${difference}\n`);
process.stdout.write(`${JSON.stringify({ ...result, differences: result.differences.length })}\n`);
process.exit(result.differences.length === 0 ? 0 : 3);
