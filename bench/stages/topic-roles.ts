/*
 * Roles between topics, in this process, exactly once or at least once. With --drain until everything is done, else until
 * SIGTERM; then answers what it used.
 *
 *   node --import tsx bench/stages/topic-roles.ts --namespace NAME --mode exactly-once|at-least-once --commit-interval-ms N [--drain] ROLE...
 */
import { parseArgs } from 'node:util';
import { settingsOf, topologies } from '../../src/cli/role-table.js';
import { OPTIONS } from '../../src/config/options.js';
import { drained } from '../../src/runtime/drain.js';
import { roleDrain } from '../../src/runtime/role-drain.js';
import { RoleRunner } from '../../src/runtime/role-runner.js';
import { AtLeastOnceLog } from '../at-least-once-log.js';
import { answer, measure, openShell } from './stage-shell.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { namespace: { type: 'string' }, mode: { type: 'string' }, 'commit-interval-ms': { type: 'string' }, drain: { type: 'boolean', default: false } },
});
const namespace = values.namespace ?? '';
const commitIntervalMs = Number(values['commit-interval-ms']);
const pipeline = {
  policy: OPTIONS.policy.fallback ?? 'pro-rata', joinWindowMs: OPTIONS.joinWindowMs.fallback ?? 0, horizonMs: OPTIONS.horizonMs.fallback ?? 0,
  horizonEvents: OPTIONS.horizonEvents.fallback ?? 0, signalPattern: OPTIONS.signalPattern.fallback ?? '',
};
const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());

const finish = measure();
const { log: kafkaLog, codec } = await openShell(namespace);
const log = values.mode === 'at-least-once' ? new AtLeastOnceLog({ brokers: (process.env['KAFKA_BROKERS'] ?? '').split(','), clientId: 'bench' }) : kafkaLog;
const logger = { info: () => undefined, warn: (fields: object, message: string) => console.error(message, fields), error: (fields: object, message: string) => console.error(message, fields) };
const wanted = topologies(pipeline).filter(({ role }) => positionals.includes(role));
const runners = wanted.map((topology) => new RoleRunner({ topology, log, codec, namespace, settings: settingsOf(pipeline), commitIntervalMs, logger }));
for (const runner of runners) runner.start();
if (values.drain) await drained({ log, stages: wanted.map((topology) => roleDrain({ topology, log, codec, namespace })), signal: stopping.signal });
else await new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve(), { once: true }));
const usage = finish();
for (const runner of runners) runner.stop();
const outcomes = await Promise.all(runners.map(({ finished }) => finished));
await log.close();
await kafkaLog.close();
answer({ ...usage, outcomes: outcomes.map(({ kind }) => kind) });
process.exit(outcomes.every(({ kind }) => kind === 'stopped') ? 0 : 1);
