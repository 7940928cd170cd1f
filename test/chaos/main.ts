import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../src/stack/paths.js';
import { runCampaign, type CampaignReport } from './campaign.js';
import { FAULT_KINDS } from './fault-kinds.js';

const HELP = `usage: scripts/chaos [options]

Load runs through the whole pipeline on servers of its own while faults are injected: processes killed and put to sleep,
instances started and stopped, groups made to rebalance, brokers, database and registry killed, connections cut, slowed
down and refused. Then the pure core is run over the source topics, and what Kafka's own client reads from the output
topics (read committed), and the tables, are compared with it.

  --faults N     how many faults (default 60); each kind comes once before any comes twice
  --seed S       which faults, and which session (default: random, and printed)
  --brokers N    1 (default), or 3: three replicas, of which two must have a record
  --kinds a,b    only these: ${FAULT_KINDS.map(({ name }) => name).join(', ')}
  --dir DIR      folder of data and logs
  --keep         leave data and logs there
  --json         the report as JSON on standard output, before the last line
  --quiet        no line for each fault

Exit codes: 0 nothing was lost and nothing doubled, 1 something was, or no verdict could be reached, 2 called wrongly.
The last line says which, with the counts.
`;

const WRONGLY_CALLED = 2;

function wrongly(message: string): never {
  process.stderr.write(`scripts/chaos: ${message}\n  next: scripts/chaos --help\n`);
  process.exit(WRONGLY_CALLED);
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) wrongly(`--${name} ${text} is not a whole number of at least ${least}`);
  return value;
}

function parse() {
  try {
    return parseArgs({
      options: {
        faults: { type: 'string', default: '60' }, seed: { type: 'string' }, brokers: { type: 'string', default: '1' }, kinds: { type: 'string' }, dir: { type: 'string' },
        keep: { type: 'boolean', default: false }, json: { type: 'boolean', default: false }, quiet: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    return wrongly(error instanceof Error ? error.message : String(error));
  }
}

function print(report: CampaignReport, seed: number, isJson: boolean): void {
  const { injected, exits, problems, sourceRecords, outputRecords, deadLetters, rows, lost, doubled, seconds } = report;
  const faults = [...injected.values()].reduce((sum, count) => sum + count, 0);
  const counts = { seed, faults, kinds: injected.size, sourceRecords, outputRecords, deadLetters, rows, lost, doubled, seconds: Math.round(seconds) };
  if (isJson) console.log(JSON.stringify({ ...counts, injected: Object.fromEntries(injected), exits: Object.fromEntries(exits), problems }));
  else {
    for (const [name, count] of [...injected].sort()) console.log(`${String(count).padStart(5)}  ${name}`);
    for (const [how, count] of [...exits].sort()) console.log(`${String(count).padStart(5)}  ${how}, and was started again`);
  }
  for (const problem of problems) console.log(`PROBLEM: ${problem}`);
  const verdict = problems.length === 0 ? 'nothing lost, nothing doubled, no transaction open' : `${lost} lost, ${doubled} too many, ${problems.length} problems`;
  console.log(
    `${problems.length === 0 ? 'passed' : 'FAILED'}: ${faults} faults of ${injected.size} kinds, seed ${seed}, ${Math.round(seconds)} s: ` +
      `${sourceRecords} source records, ${outputRecords} output records, ${deadLetters} dead letters, ${rows} rows: ${verdict}`,
  );
}

const values = parse();
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const faults = whole('faults', values.faults, 0);
const brokers = whole('brokers', values.brokers, 1);
if (brokers !== 1 && brokers !== 3) wrongly(`--brokers ${brokers}: 1 or 3`);
const seed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000_000) : whole('seed', values.seed, 0);
const kinds = values.kinds?.split(',').map((name) => name.trim()) ?? null;
for (const name of kinds ?? []) if (!FAULT_KINDS.some((kind) => kind.name === name)) wrongly(`--kinds ${name}: there are ${FAULT_KINDS.map((kind) => kind.name).join(', ')}`);
const dir = values.dir ?? join(packageRoot, '.stack', `chaos-${process.pid}`);

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => process.exit(130));
try {
  const report = await runCampaign({ faults, minutes: null, gapFactor: 1, seed, brokers, dir, kinds, isKept: values.keep, say: (line) => void (values.quiet || process.stderr.write(`${line}\n`)) });
  print(report, seed, values.json);
  process.exit(report.problems.length === 0 ? 0 : 1);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  console.log(`FAILED: seed ${seed}: no verdict: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
  process.exit(1);
}
