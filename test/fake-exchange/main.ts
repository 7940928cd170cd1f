/*
 * Disconnects, and everything else that can go wrong between an exchange, the gateway and the log:
 *
 *   node --import tsx test/fake-exchange/main.ts [--seed N] [--disconnects 100] [--every-ms 3000] [--faults drop,kill] [--redundant]
 *       [--gateways N] [--accounts N] [--mean-gap-ms N] [--outage-ms 60000] [--keep]
 *
 * Uses the servers of the environment; for the faults broker and both it starts some of its own. Exit code 3 if the tables are not true.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Servers } from '../chaos/servers.js';
import { BROKER_FAULTS, FAULTS, runCampaign, type FaultName } from './campaign.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' }, disconnects: { type: 'string', default: '100' }, 'every-ms': { type: 'string', default: '3000' },
    faults: { type: 'string', default: FAULTS.filter((fault) => !BROKER_FAULTS.includes(fault)).join() }, 'mean-gap-ms': { type: 'string', default: '300' },
    'outage-ms': { type: 'string', default: '2000' }, redundant: { type: 'boolean', default: false }, gateways: { type: 'string', default: '1' }, accounts: { type: 'string', default: '1' }, keep: { type: 'boolean', default: false },
  },
});
const disconnects = Number(values.disconnects);
const everyMs = Number(values['every-ms']);
const meanGapMs = Number(values['mean-gap-ms']);
const faults = values.faults.split(',') as FaultName[];
for (const fault of faults) if (!FAULTS.includes(fault)) throw new Error(`--faults ${fault}: there are ${FAULTS.join(', ')}`);
const folder = mkdtempSync(join(tmpdir(), 'position-linker-campaign-'));
const servers = faults.some((fault) => BROKER_FAULTS.includes(fault)) ? await Servers.start({ dir: folder, brokers: 1 }) : null;
if (servers !== null) Object.assign(process.env, servers.direct);
let code = 1;
try {
  const result = await runCampaign({
    seed: Number(values.seed), disconnects, everyMs, faults, orders: Math.ceil((disconnects * everyMs) / meanGapMs), meanGapMs, redundant: values.redundant, outageMs: Number(values['outage-ms']),
    gateways: Number(values.gateways), accounts: Number(values.accounts), keep: values.keep, say: (line) => void process.stderr.write(`${line}\n`), ...(servers === null ? {} : { servers }),
  });
  for (const difference of result.differences.slice(0, 50)) process.stdout.write(`${difference}\n`);
  process.stdout.write(`${JSON.stringify({ ...result, differences: result.differences.length })}\n`);
  code = result.differences.length === 0 ? 0 : 3;
} finally {
  await servers?.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(code);
