import { parseArgs } from 'node:util';
import { openLocalCodec } from '../../src/replay/replay.js';
import { emptyReport, runSession, type MutationReport } from './campaign.js';
import { FIELD_MUTATORS, MUTATOR_NAMES } from './mutators.js';

const HELP = `usage: scripts/mutate [options]

Sessions of a simulated exchange whose records are changed between the gateway and the roles: bits, bytes and lengths that
lie, records cut short, glued together, without key or value, under another schema. All go through decoders, cores and
tables. Nothing may crash, no record may take more than 50 ms of processor time (a watermark more by what it decides), and
nothing may vanish: every record that a role reads is a watermark, an output, state, a dead letter, or says nothing new of
what is known.

  --records N   how many changed records at least (default 1000000)
  --seed S      of the first session (default 1); each further session has the next
  --orders N    orders a session (default 300)
  --quiet       no line for each session

Exit codes: 0 all that holds, 1 it does not, 2 called wrongly. The last line says which, with the counts.
`;

function wrongly(message: string): never {
  process.stderr.write(`scripts/mutate: ${message}\n  next: scripts/mutate --help\n`);
  process.exit(2);
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) wrongly(`--${name} ${text} is not a whole number above 0`);
  return value;
}

function parse() {
  try {
    return parseArgs({
      options: {
        records: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' }, orders: { type: 'string', default: '300' },
        quiet: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    return wrongly(error instanceof Error ? error.message : String(error));
  }
}

function print(report: MutationReport, sessions: number, seconds: number): void {
  for (const name of [...MUTATOR_NAMES, ...Object.keys(FIELD_MUTATORS)]) console.log(`${String(report.byMutator.get(name) ?? 0).padStart(9)}  ${name}`);
  console.log(`\n${'role'.padEnd(18)}${['written', 'kept', 'nothing new', 'refused', 'threw'].map((heading) => heading.padStart(13)).join('')}`);
  for (const [role, { outputs, kept, noted, refused, threw }] of report.roles) console.log(`${role.padEnd(18)}${[outputs, kept, noted, refused, threw].map((count) => String(count).padStart(13)).join('')}`);
  console.log(`\nlongest step that wrote nothing or handled one record: ${report.longestMs.toFixed(1)} ms (${report.longestAt})`);
  for (const problem of report.problems.slice(0, 50)) console.log(`PROBLEM: ${problem}`);
  console.log(
    `${report.problems.length === 0 ? 'passed' : `FAILED with ${report.problems.length} problems`}: ${report.mutated} mutated records in ${sessions} sessions, ${Math.round(seconds)} s: ` +
      `${report.read} records read by roles = ${report.watermarks} watermarks + ${report.deadLetters} dead letters + ${handled(report)} handled; ${report.discrepancies} discrepancies, ${report.rows} rows`,
  );
}

function handled({ roles }: MutationReport): number {
  return [...roles.values()].reduce((sum, { outputs, kept, noted }) => sum + outputs + kept + noted, 0);
}

const values = parse();
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const [records, firstSeed, orders] = [whole('records', values.records), whole('seed', values.seed), whole('orders', values.orders)];
const codec = await openLocalCodec();
const report = emptyReport();
const startedMs = Date.now();
let sessions = 0;
for (; report.mutated < records; sessions++) {
  await runSession(codec, firstSeed + sessions, orders, report);
  if (!values.quiet && sessions % 20 === 19) process.stderr.write(`${report.mutated} records, ${report.problems.length} problems, ${Math.round((Date.now() - startedMs) / 1_000)} s\n`);
}
print(report, sessions, (Date.now() - startedMs) / 1_000);
process.exit(report.problems.length === 0 ? 0 : 1);
