import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { topicName } from '../../src/config/namespace.js';
import { KafkaLog } from '../../src/kafka/kafka-log.js';
import { packageRoot } from '../../src/stack/paths.js';
import { runCampaign } from './campaign.js';
import { FAULT_KINDS, ROLE_NAMES, type World } from './fault-kinds.js';
import { recordsOf, TOPOLOGIES } from './oracle.js';

const HELP = `usage: scripts/soak [options]

Load and faults for a long time, and every so often what each role's process holds: memory, open handles, live state. No
fault here kills a role, so that what grows has time to. Ends with the judge of scripts/chaos.

  --minutes N   how long (default 30)
  --every S     seconds between two looks (default 60)
  --seed S      default: random, and printed
  --dir DIR     folder of data and logs
  --keep        leave data and logs there
  --json        the looks as JSON, one a line

Exit codes: 0 memory, handles and state at the end are not above those of the first third by more than a half, and nothing was lost
or doubled; 1 they are, or something was; 2 called wrongly. The last line says which.
`;

/** Roles live as long as the soak. */
const KILLING = ['role killed', 'zombie', 'two in turn', 'registry down'];
const PARTITIONS = 3;
/** Of event time, which runs six times as fast: what is older than a minute of the soak is let go of, so that state has an end. */
const HORIZON_MS = 6 * 60_000;
const MOST_GROWTH = 1.5;
/** A process may hold so much more than before without that being growth. */
const SLACK = { rssMb: 60, handles: 30, stateKb: 2_000 };

interface Look {
  readonly minute: number;
  readonly role: string;
  readonly pid: number;
  readonly rssMb: number;
  readonly handles: number;
  readonly stateEntries: number | null;
  readonly stateKb: number | null;
}

function whole(name: string, text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  process.stderr.write(`scripts/soak: --${name} ${text} is not a whole number above 0\n  next: scripts/soak --help\n`);
  process.exit(2);
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' }, every: { type: 'string' }, seed: { type: 'string' }, dir: { type: 'string' }, keep: { type: 'boolean', default: false }, json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const minutes = whole('minutes', values.minutes, 30);
const everyMs = whole('every', values.every, 60) * 1_000;
const seed = whole('seed', values.seed, 1 + Math.floor(Math.random() * 1_000_000_000));
const looks: Look[] = [];
const startedMs = Date.now();

/** Resident memory and open handles as the operating system counts them; null where it does not tell. */
function held(pid: number): { readonly rssMb: number; readonly handles: number } | null {
  try {
    const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    return { rssMb: Math.round(kilobytes / 1024), handles: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return null;
  }
}

/** Entries of a changelog that nothing has replaced, and their bytes: what a restore reads. */
async function liveState(log: KafkaLog, topic: string): Promise<{ readonly stateEntries: number; readonly stateKb: number }> {
  let [stateEntries, bytes] = [0, 0];
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const live = new Map<string, number>();
    for await (const { key, value } of recordsOf(log, { topic, partition })) {
      const name = Buffer.from(key ?? []).toString('base64');
      if (value === null) live.delete(name);
      else live.set(name, value.length);
    }
    stateEntries += live.size;
    for (const size of live.values()) bytes += size;
  }
  return { stateEntries, stateKb: Math.round(bytes / 1024) };
}

async function look({ fleet, servers, namespace }: World): Promise<void> {
  const minute = (Date.now() - startedMs) / 60_000;
  const log = new KafkaLog({ brokers: servers.kafka.direct, clientId: 'soak' });
  try {
    for (const role of ROLE_NAMES) {
      const [instance] = fleet.instancesOf(role);
      const found = instance?.child.pid === undefined ? null : held(instance.child.pid);
      if (found === null) continue;
      const changelog = TOPOLOGIES.find((topology) => topology.role === role)?.changelog;
      const state = changelog === undefined ? null : await liveState(log, topicName(namespace, changelog)).catch(() => null);
      const one: Look = { minute: Math.round(minute * 10) / 10, role, pid: instance?.child.pid ?? 0, ...found, stateEntries: state?.stateEntries ?? null, stateKb: state?.stateKb ?? null };
      looks.push(one);
      if (values.json) console.log(JSON.stringify(one));
      else console.log(`${one.minute.toFixed(1).padStart(6)} min  ${role.padEnd(17)} ${String(one.rssMb).padStart(5)} MB  ${String(one.handles).padStart(4)} handles  ${state === null ? '' : `${String(state.stateEntries).padStart(7)} entries ${String(state.stateKb).padStart(7)} KB of state`}`);
    }
  } finally {
    await log.close();
  }
}

/** What grew beyond what it was in the first third; the warm-up does not count. */
function grown(): string[] {
  const found: string[] = [];
  for (const role of ROLE_NAMES) {
    const own = looks.filter((one) => one.role === role && one.minute > minutes * 0.1);
    const early = own.filter(({ minute }) => minute <= minutes * 0.4);
    const late = own.filter(({ minute }) => minute >= minutes * 0.75);
    for (const what of ['rssMb', 'handles', 'stateKb'] as const) {
      const [before, after] = [median(early.flatMap((one) => one[what] ?? [])), median(late.flatMap((one) => one[what] ?? []))];
      if (after > before * MOST_GROWTH && after > before + SLACK[what]) found.push(`${role}: ${what} grew from ${before} to ${after}`);
    }
  }
  return found;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

function table(): void {
  console.log(`\n${'role'.padEnd(18)}${['MB early', 'MB late', 'handles early', 'late', 'state KB early', 'late'].map((heading) => heading.padStart(15)).join('')}`);
  for (const role of ROLE_NAMES) {
    const own = looks.filter((one) => one.role === role);
    const [early, late] = [own.filter(({ minute }) => minute > minutes * 0.1 && minute <= minutes * 0.4), own.filter(({ minute }) => minute >= minutes * 0.75)];
    const cells = (['rssMb', 'handles', 'stateKb'] as const).flatMap((what) => [early, late].map((part) => String(median(part.map((one) => one[what] ?? 0)))));
    console.log(`${role.padEnd(18)}${cells.map((cell) => cell.padStart(15)).join('')}`);
  }
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => process.exit(130));
try {
  const report = await runCampaign({
    faults: 0, minutes, seed, brokers: 1, gapFactor: 4, horizonMs: HORIZON_MS, dir: values.dir ?? join(packageRoot, '.stack', `soak-${process.pid}`), isKept: values.keep, say: (line) => void process.stderr.write(`${line}\n`),
    kinds: FAULT_KINDS.map(({ name }) => name).filter((name) => !KILLING.includes(name)), watch: { everyMs, look },
  });
  table();
  const problems = [...report.problems, ...grown()];
  for (const problem of problems) console.log(`PROBLEM: ${problem}`);
  const faults = [...report.injected.values()].reduce((sum, count) => sum + count, 0);
  console.log(`${problems.length === 0 ? 'passed' : 'FAILED'}: ${minutes} minutes, ${faults} faults, seed ${seed}: ${report.sourceRecords} source records, ${report.outputRecords} output records, ${report.rows} rows; ${problems.length === 0 ? 'memory, handles and state flat, nothing lost, nothing doubled' : `${problems.length} problems`}`);
  process.exit(problems.length === 0 ? 0 : 1);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  console.log(`FAILED: seed ${seed}: no verdict: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
  process.exit(1);
}
