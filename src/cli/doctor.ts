import { databaseSchema, topicName } from '../config/namespace.js';
import { createLog } from '../config/log.js';
import { BROKER_OPTIONS, type Options } from '../config/options.js';
import { clusterAccess } from '../kafka/cluster-access.js';
import { declaredTopics } from '../topic-apply/declared-topics.js';
import { ORDER_TOPIC } from '../ws-gateway/frame-parser.js';
import { SOURCE_TOPICS } from '../ws-gateway/gateway.js';
import { rightsWarning } from '../ws-gateway/live/key-rights.js';
import { localMs } from '../ws-gateway/live/local-clock.js';
import type { OpenAccount } from '../ws-gateway/live/open-account.js';
import { readKnownTimes } from '../ws-gateway/live/read-known.js';
import { shownTarget } from '../ws-gateway/live/exchange-target.js';
import { defineCommand, type Command } from './command.js';
import { EXCHANGE_OPTIONS, targetOf } from './exchange-options.js';
import { lastMessages } from './last-messages.js';
import { openExchange } from './open-exchange.js';
import { openPipeline } from './open-pipeline.js';
import { allRoleUses } from './role-topics.js';
import { failureText } from './run-command-line.js';
import { checkStart } from './start-check.js';
import { plainText, textTable } from './text-table.js';

const WELL = 0;
const FOUND = 3;
const PROBE_TIMEOUT_MS = 5_000;
const EXCHANGE_ATTEMPTS = 3;
const CLOCK_OFF_MS = 5_000;
const MOST_LINES = 8;

type State = 'ok' | 'warn' | 'bad' | 'none';

interface Finding {
  readonly what: string;
  readonly state: State;
  readonly detail: string;
}

type DoctorOptions = Pick<Options, 'namespace' | 'registryUrl' | 'databaseUrl' | 'categories' | (typeof EXCHANGE_OPTIONS)[number] | (typeof BROKER_OPTIONS)[number]>;

/** `doctor`: one screen about everything the pipeline rests on. */
export const doctorCommands: readonly Command[] = [
  defineCommand({
    path: ['doctor'],
    summary: 'look at everything the pipeline rests on, on one screen',
    details:
      'Addresses, topics and rights, schemas, database, the exchange and its clock, what the key may do, the position mode of each asset, and of each stream the last message and ' +
      'how far it is complete. Changes nothing. Without a key the exchange is left out. Exit codes: 0 all well, 3 something is not, 2 called wrongly.',
    options: ['namespace', ...BROKER_OPTIONS, 'registryUrl', 'databaseUrl', ...EXCHANGE_OPTIONS, 'categories', 'json'],
    async run({ options, stdout, signal }) {
      const findings = (await Promise.all([servers(options), streams(options), exchange(options, signal)])).flat();
      const isWell = findings.every(({ state }) => state === 'ok' || state === 'none' || state === 'warn');
      stdout(options.json ? `${JSON.stringify({ well: isWell, findings })}\n` : textOf(findings));
      return isWell ? WELL : FOUND;
    },
  }),
];

function textOf(findings: readonly Finding[]): string {
  const marks: Readonly<Record<State, string>> = { ok: 'ok', warn: 'look', bad: 'BAD', none: '-' };
  const rows = findings.flatMap(({ what, state, detail }) => fewLines(detail).map((line, index) => (index === 0 ? [marks[state], what, plainText(line)] : ['', '', plainText(line)])));
  return textTable([{ heading: '', align: 'left' }, { heading: 'what', align: 'left' }, { heading: 'found', align: 'left' }], rows);
}

/** One screen holds no list of forty topics; the last line says what to do about all of them. */
function fewLines(detail: string): readonly string[] {
  const lines = detail.split('\n');
  if (lines.length <= MOST_LINES) return lines;
  return [...lines.slice(0, MOST_LINES - 2), `… ${lines.length - MOST_LINES + 1} lines more (--json has them all)`, lines.at(-1) ?? ''];
}

/** A check that fails is a finding, not the end of the others. */
async function looked(what: string, look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look();
  } catch (error) {
    return [{ what, state: 'bad', detail: failureText(error).trimEnd().replace(/^position-linker: /, '') }];
  }
}

async function servers(options: DoctorOptions): Promise<Finding[]> {
  const { namespace, registryUrl, databaseUrl, brokers } = options;
  const addresses = `brokers ${brokers.join(',')}, registry ${hosts(registryUrl)}, database ${hosts(databaseUrl)}${namespace === null ? '' : `, namespace ${namespace}`}`;
  const [start, database] = await Promise.all([
    looked('topics, rights, schemas', async () => {
      const partitions = await checkStart(clusterAccess(options), { namespace, registryUrl, databaseUrl, uses: allRoleUses(), topics: declaredTopics() });
      return [{ what: 'topics, rights, schemas', state: 'ok', detail: `all there, ${partitions} partitions` }];
    }),
    looked('database', async () => {
      const [{ probeDatabase }, { openDatabase }, { requireMigrated }] = await Promise.all([import('../postgres/database-probe.js'), import('../postgres/database.js'), import('../postgres/migrate.js')]);
      await probeDatabase(databaseUrl, PROBE_TIMEOUT_MS);
      const schema = databaseSchema(namespace);
      const opened = openDatabase({ databaseUrl, schema, applicationName: 'position-linker doctor' });
      try {
        await requireMigrated(opened, schema);
      } finally {
        await opened.close();
      }
      return [{ what: 'database', state: 'ok', detail: `answers, tables are there in schema ${schema}` }];
    }),
  ]);
  return [{ what: 'addresses', state: 'ok', detail: addresses }, ...start, ...database];
}

function streams(options: DoctorOptions): Promise<Finding[]> {
  return looked('streams', async () => {
    const { namespace } = options;
    const { log, codec, partitions, close } = await openPipeline(options, SOURCE_TOPICS);
    try {
      const findings: Finding[] = [];
      for (const topic of SOURCE_TOPICS) {
        const { messageMs, watermarkMs } = await lastMessages(log, codec, topicName(namespace, topic), partitions);
        const state = watermarkMs === null ? 'none' : 'ok';
        findings.push({ what: topic, state, detail: `last message ${messageMs === null ? 'none' : ago(messageMs)}; complete up to ${watermarkMs === null ? 'nothing yet' : ago(watermarkMs)}` });
      }
      const known = await readKnownTimes(log, topicName(namespace, ORDER_TOPIC));
      for (const [account, timeMs] of known ?? []) findings.push({ what: `account ${account}`, state: 'ok', detail: `received without a gap up to ${ago(timeMs)}` });
      return findings;
    } finally {
      await close();
    }
  });
}

async function exchange(options: DoctorOptions, signal: AbortSignal): Promise<Finding[]> {
  const place = shownTarget(targetOf(options));
  if (options.keyFile === null && (options.apiKey === null || options.apiSecret === null)) return [{ what: 'exchange', state: 'none', detail: `${place}: no key, not asked (BYBIT_API_KEY and BYBIT_API_SECRET, or --key-file)` }];
  return looked(`exchange ${place}`, async () => {
    const { accounts, clock } = await openExchange(options, createLog('silent'), signal, EXCHANGE_ATTEMPTS);
    const offMs = Math.round(Date.now() - clock.at(localMs()));
    const findings: Finding[] = [
      { what: `exchange ${place}`, state: 'ok', detail: 'answers' },
      { what: 'clock', state: Math.abs(offMs) >= CLOCK_OFF_MS ? 'warn' : 'ok', detail: `this machine is ${Math.abs(offMs)} ms ${offMs < 0 ? 'behind' : 'ahead of'} the exchange` },
    ];
    for (const account of accounts) findings.push(...(await looked(`key of ${account.account}`, () => keyFindings(account, options))));
    return findings;
  });
}

async function keyFindings({ account, rights, history }: OpenAccount, { categories }: DoctorOptions): Promise<Finding[]> {
  const warning = rights === null ? 'the exchange does not say what it may do' : rightsWarning(rights);
  const findings: Finding[] = [
    { what: `key of ${account}`, state: warning === null ? 'ok' : 'warn', detail: `${warning ?? 'reads only'}${rights?.expiresAt == null ? '' : `; expires ${rights.expiresAt}`}` },
  ];
  const modes = new Map<string, string>();
  for (const category of categories) {
    if (category !== 'linear' && category !== 'inverse') continue;
    for (const row of (await history.positions(category)).rows) modes.set(`${String(row['symbol'])} (${category})`, Number(row['positionIdx']) === 0 ? 'one-way' : 'hedge');
  }
  const shown = [...modes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([asset, mode]) => `${asset} ${mode}`);
  findings.push({ what: `position modes of ${account}`, state: 'ok', detail: shown.length === 0 ? 'no open position shows one' : shown.join(', ') });
  return findings;
}

/** Host and port of one or more URLs; what else they hold may be a password. */
function hosts(urls: string): string {
  return urls.split(',').map((text) => new URL(text).host).join(',');
}

function ago(timeMs: number): string {
  const seconds = Math.round((Date.now() - timeMs) / 1_000);
  const shown = Math.abs(seconds) < 120 ? `${seconds} s` : Math.abs(seconds) < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
  return `${new Date(timeMs).toISOString()} (${shown} ago)`;
}
