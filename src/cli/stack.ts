import { BROKER_OPTIONS } from '../config/options.js';
import { clusterAccess } from '../kafka/cluster-access.js';
import { clearNamespace } from '../stack/clear-namespace.js';
import { hidePassword, pieceVariables, type StackAddresses, type StackPiece } from '../stack/stack-addresses.js';
import { stackDown, stackEnv, stackStatus, stackUp, type PieceStatus } from '../stack/stack.js';
import { pieceNames } from '../stack/state.js';
import { defineCommand, UsageError, type Command } from './command.js';

/** `stack up|down|status|env|clear`: the three servers every other command needs. */
export const stackCommands: readonly Command[] = [
  defineCommand({
    path: ['stack', 'up'],
    summary: 'start Kafka, the schema registry and PostgreSQL, and wait until they are healthy',
    details:
      'Each server is taken from the first that is there: its address in the environment, Docker Compose where an engine runs, ' +
      'else a process of this machine. They keep running; a second call finds them. POSITION_LINKER_STACK_DIR names the folder ' +
      'of their data and downloads (default .stack in the checkout).',
    options: ['embedded', 'json'],
    async run({ options, stdout, stderr, signal }) {
      const addresses = await stackUp({ embeddedOnly: options.embedded, signal, say: (line) => stderr(`${line}\n`) });
      if (options.json) stdout(`${JSON.stringify(addresses)}\n`);
      else {
        stdout(addresses.pieces.map((piece) => describe(piece, 'healthy')).join(''));
        stderr('next: eval "$(position-linker stack env)"\n');
      }
      return 0;
    },
  }),
  defineCommand({
    path: ['stack', 'down'],
    summary: 'stop what `stack up` started',
    details: 'Servers that the environment names are left alone. Data is kept unless --volumes is given.',
    options: ['volumes'],
    async run({ options, stdout, stderr, signal }) {
      const down = await stackDown({ volumes: options.volumes, signal, say: (line) => stderr(`${line}\n`) });
      const stopped = [...(down.ended.length > 0 ? [`${down.ended.length} processes`] : []), ...(down.composeStopped ? ['the containers'] : [])];
      stdout(`${stopped.length > 0 ? `stopped ${stopped.join(' and ')}` : 'nothing was running'}${down.volumesRemoved ? ', data removed' : ''}\n`);
      return 0;
    },
  }),
  defineCommand({
    path: ['stack', 'status'],
    summary: 'tell which servers are known and how they are',
    details: 'Exit code 0 when all three are healthy, 3 otherwise.',
    options: ['json'],
    async run({ options, stdout }) {
      const status = await stackStatus();
      if (options.json) stdout(`${JSON.stringify(status)}\n`);
      else stdout(pieceNames.map((name) => statusLine(name, status)).join(''));
      return status.length === pieceNames.length && status.every((piece) => piece.ailment === null) ? 0 : 3;
    },
  }),
  defineCommand({
    path: ['stack', 'env'],
    summary: 'print the addresses as `export NAME=value` lines',
    details: 'For a shell: eval "$(position-linker stack env)"',
    options: [],
    async run({ stdout }) {
      stdout(exportLines(await stackEnv()));
      return 0;
    },
  }),
  defineCommand({
    path: ['stack', 'clear'],
    summary: 'remove what one namespace left on the three servers',
    details: 'Topics, consumer groups, registry subjects and the database schema of --namespace, which must be given. Stop its roles first.',
    options: ['namespace', ...BROKER_OPTIONS, 'registryUrl', 'databaseUrl'],
    async run({ options, stdout }) {
      if (options.namespace === null) throw new UsageError('stack clear wants --namespace NAME');
      const cleared = await clearNamespace(options.namespace, { ...options, ...clusterAccess(options) });
      const schema = cleared.schemaDropped ? ', its database schema' : '';
      stdout(`removed ${cleared.topics} topics, ${cleared.groups} groups, ${cleared.subjects} subjects${schema} of ${options.namespace}\n`);
      return 0;
    },
  }),
];

/** The three lines of `stack env`; values are quoted where a shell would take them apart. */
export function exportLines(addresses: StackAddresses): string {
  const values = { kafka: addresses.kafkaBrokers.join(','), registry: addresses.schemaRegistryUrl, postgres: addresses.databaseUrl };
  return pieceNames.map((name) => `export ${pieceVariables[name]}=${shellWord(values[name])}\n`).join('');
}

function shellWord(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}

function describe(piece: StackPiece, condition: string): string {
  const pid = piece.pid === undefined ? '' : `, pid ${piece.pid}`;
  return `${piece.name.padEnd(9)} ${condition.padEnd(8)} ${hidePassword(piece.address)}  (${piece.source}${pid})\n`;
}

function statusLine(name: string, status: readonly PieceStatus[]): string {
  const piece = status.find((candidate) => candidate.name === name);
  if (piece === undefined) return `${name.padEnd(9)} not started\n`;
  if (piece.ailment === null) return describe(piece, 'healthy');
  return `${describe(piece, 'ill').trimEnd()}: ${piece.ailment}\n`;
}
