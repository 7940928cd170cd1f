import { createLog } from '../config/log.js';
import { GuidedError } from '../config/guided-error.js';
import { BROKER_OPTIONS } from '../config/options.js';
import { clusterAccess } from '../kafka/cluster-access.js';
import { LogError } from '../kafka/errors.js';
import { drained } from '../runtime/drain.js';
import type { RoleOutcome } from '../runtime/role-runner.js';
import { SettingsError, StateVersionError } from '../runtime/task-state.js';
import { openCodec } from '../schema-registry/open-codec.js';
import { declaredTopics } from '../topic-apply/declared-topics.js';
import { defineCommand, UsageError, type Command } from './command.js';
import { EXTRA_ROLE_NAMES, extraRoles, PIPELINE_OPTIONS, ROLE_NAMES, roleTable, topicsOf, withUpstream, type OpenStage, type RunningRole } from './role-table.js';
import { GATEWAY_OPTIONS } from './exchange-options.js';
import { GATEWAY_ROLE, startGateway } from './gateway-role.js';
import { GATEWAY_USE, roleUse } from './role-topics.js';
import { ProcessEnded, startRoleProcess } from './role-process.js';
import { failureText } from './run-command-line.js';
import { checkStart, SetUpError } from './start-check.js';

const CLIENT_ID = 'position-linker';
/** The commit interval is at most 60 s; a transaction must outlive it and the commit itself. */
const TRANSACTION_TIMEOUT_MS = 120_000;
const DONE = 0;
const EXIT_CODES = { configuration: 4, 'state-lost': 5, 'corrupt-batch': 6, 'record-refused': 7 } as const;

/** `run`: roles as members of their consumer groups. */
export const runCommands: readonly Command[] = [
  defineCommand({
    path: ['run'],
    summary: 'run roles: all, or those named',
    details:
      'Every instance is a member of its role\'s consumer group; start as many as you like. SIGTERM commits what was taken and leaves the group. ' +
      'One process uses about one core: --processes starts several that each run all of the named roles, and stops them together. ' +
      'With --drain it ends once everything that was in the source topics at the start is in the tables, whoever did the work; the last line counts what still waits for a watermark. ' +
      'ws-gateway connects to the exchange with BYBIT_API_KEY and BYBIT_API_SECRET, or --key-file, and keeps the source topics complete. ' +
      'Exit codes: 0 done, 1 failed, 2 called wrongly, 4 settings or set-up do not fit, 5 a position or state is lost, 6 the log is corrupt, 7 the broker refuses a record.',
    positionals: [{ name: 'ROLE', help: `all, or any of ${ROLE_NAMES.join(', ')}; and ${[...EXTRA_ROLE_NAMES, GATEWAY_ROLE].join(', ')}, which all leaves out`, count: 'some', choices: ['all', ...ROLE_NAMES, ...EXTRA_ROLE_NAMES, GATEWAY_ROLE] }],
    options: ['drain', 'processes', ...GATEWAY_OPTIONS, ...PIPELINE_OPTIONS, 'commitIntervalMs', 'sessionTimeoutMs', 'namespace', ...BROKER_OPTIONS, 'registryUrl', 'databaseUrl', 'logLevel'],
    async run({ argv, positionals, options, stdout, stderr, signal }) {
      const { namespace, registryUrl } = options;
      const access = clusterAccess(options);
      const all = roleTable(options);
      const table = [...all, ...extraRoles(options)];
      const roles = table.filter((role) => positionals.includes(role.name) || (positionals.includes('all') && all.includes(role)));
      const logger = createLog(options.logLevel, { namespace: namespace ?? undefined });
      const isGateway = positionals.includes(GATEWAY_ROLE);
      if (isGateway && options.drain) throw new UsageError('--drain waits for the roles behind the gateway; run them without it');
      if (isGateway && options.processes > 1) throw new UsageError('ws-gateway needs a process of its own; run the other roles with --processes, and it without');
      const uses = [...(isGateway ? [GATEWAY_USE] : []), ...roles.map(roleUse)];
      const declared = declaredTopics();
      const needed = new Set([...topicsOf(roles, declared).map(({ name }) => name), ...(isGateway ? GATEWAY_USE.writes : [])]);
      const declarations = declared.filter(({ name }) => needed.has(name));
      try {
        await checkStart(access, { namespace, registryUrl, uses, topics: declarations, databaseUrl: roles.some(({ changelog }) => changelog === null) ? options.databaseUrl : null });
      } catch (error) {
        if (!(error instanceof SetUpError) || error.isUnreachable) throw error;
        stderr(failureText(error));
        return EXIT_CODES.configuration;
      }
      // The client of the broker takes longer to load than the rest; help and wrong usage need none of it.
      const { KafkaLog } = await import('../kafka/kafka-log.js');
      const codec = await openCodec({ registryUrl, namespace, topics: declarations });
      const log = new KafkaLog({
        ...access,
        clientId: CLIENT_ID,
        transactionTimeoutMs: TRANSACTION_TIMEOUT_MS,
        onWarning: (message, cause) => logger.warn({ cause: cause.message }, message),
      });
      const shell = { log, codec, options, logger, namespace };
      const running: RunningRole[] = [];
      const stages: OpenStage[] = [];
      try {
        const waitedFor = options.drain ? withUpstream(table, roles.map(({ name }) => name)) : [];
        for (const role of waitedFor) stages.push(await role.stage(shell));
        // First, so that keys that will not do are found before anything else runs.
        if (isGateway) running.push(await startGateway({ ...shell, signal }));
        if (options.processes > 1) for (let n = 1; n <= options.processes; n++) running.push(startRoleProcess(`process ${n}`, argv));
        else for (const role of roles) running.push(await role.start(shell));
        const outcome = await outcomeOf(running, signal, async (drainSignal) => {
          if (!options.drain) return null;
          const report = await drained({ log, stages: stages.map(({ stage }) => stage), signal: drainSignal, onWaiting: (stage, remaining) => stderr(`still waiting for ${stage}: ${remaining}\n`) });
          return report === null ? null : `drained: everything released is in place; ${report.heldRecords} records wait for a watermark\n`;
        });
        if (outcome.kind === 'drained') stdout(outcome.text);
        if (outcome.kind !== 'failed') return DONE;
        return failed(outcome.role, outcome.error, stderr);
      } catch (error) {
        // Told to stop before anything ran.
        if (signal.aborted && running.length === 0) return DONE;
        throw error;
      } finally {
        for (const opened of [...running, ...stages]) await opened.close();
        await log.close();
      }
    },
  }),
];

type RunOutcome = { readonly kind: 'stopped' } | { readonly kind: 'drained'; readonly text: string } | { readonly kind: 'failed'; readonly role: string; readonly error: Error };

/** Waits for the first of: a role that ends, the signal, the drain; then stops all roles and waits for them. */
async function outcomeOf(running: readonly RunningRole[], signal: AbortSignal, drain: (signal: AbortSignal) => Promise<string | null>): Promise<RunOutcome> {
  const ended = new AbortController();
  const stop = (): void => ended.abort();
  signal.addEventListener('abort', stop, { once: true });
  const finished = running.map(async (role): Promise<{ readonly role: string; readonly outcome: RoleOutcome }> => {
    const outcome = await role.finished;
    ended.abort();
    return { role: role.name, outcome };
  });
  if (signal.aborted) ended.abort();
  const aborted = new Promise<null>((resolve) => {
    ended.signal.addEventListener('abort', () => resolve(null), { once: true });
    if (ended.signal.aborted) resolve(null);
  });
  const failure: { error: Error | null } = { error: null };
  const text = await Promise.race([
    aborted,
    drain(ended.signal).then(
      (drainedText) => drainedText ?? aborted,
      (error: unknown) => {
        failure.error = error instanceof Error ? error : new Error(String(error));
        return null;
      },
    ),
  ]);
  ended.abort();
  signal.removeEventListener('abort', stop);
  for (const role of running) role.stop();
  for (const { role, outcome } of await Promise.all(finished)) if (outcome.kind === 'failed') return { kind: 'failed', role, error: outcome.error };
  if (failure.error !== null) throw failure.error;
  return text === null ? { kind: 'stopped' } : { kind: 'drained', text };
}

function failed(role: string, error: Error, stderr: (text: string) => void): number {
  if (error instanceof SettingsError) {
    stderr(`position-linker: ${error.message}\n  next: start it with the settings of the state, or begin anew under another --namespace\n`);
    return EXIT_CODES.configuration;
  }
  if (error instanceof StateVersionError) {
    stderr(`position-linker: ${error.message}\n  next: ${error.nextStep}\n`);
    return EXIT_CODES.configuration;
  }
  if (error instanceof LogError && error.kind in EXIT_CODES) {
    stderr(`position-linker: ${role}: ${error.message}\n`);
    return EXIT_CODES[error.kind as keyof typeof EXIT_CODES];
  }
  if (error instanceof ProcessEnded && error.code !== null && error.code !== DONE) return error.code;
  throw new GuidedError(`${role} failed: ${error.message}`, 'the log lines above say what led to it; nothing is lost, start it again once the cause is mended', { cause: error });
}
