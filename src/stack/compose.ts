import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import { ailment } from './health.js';
import { onPath } from './java.js';
import { packageRoot, type StackPaths } from './paths.js';
import { lastLines, runCommand } from './run-command.js';
import { pieceNames, type PieceName, type StackState } from './state.js';

interface Work {
  readonly env: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal | undefined;
}

export interface ComposedPiece {
  readonly name: PieceName;
  readonly source: 'compose';
  readonly address: string;
}

const composeFile = join(packageRoot, 'docker-compose.kafka.yml');

/** The port variables of the compose file, and what each server's address is once it listens there. */
const services: Readonly<Record<PieceName, { readonly portVariable: string; address(port: number): string }>> = {
  kafka: { portVariable: 'POSITION_LINKER_KAFKA_PORT', address: (port) => `127.0.0.1:${port}` },
  registry: { portVariable: 'POSITION_LINKER_REGISTRY_PORT', address: (port) => `http://127.0.0.1:${port}/apis/ccompat/v7` },
  postgres: {
    portVariable: 'POSITION_LINKER_POSTGRES_PORT',
    address: (port) => `postgres://position_linker:position_linker@127.0.0.1:${port}/position_linker`,
  },
};

/** Whether an engine answers and its client knows Compose. */
export async function composeEngine(work: Work): Promise<boolean> {
  if (!onPath('docker', work.env)) return false;
  const ask = { env: work.env, timeoutMs: 10_000, signal: work.signal };
  const engine = await runCommand('docker', ['info', '--format', '{{.ServerVersion}}'], ask);
  if (engine.code !== 0) return false;
  return (await runCommand('docker', ['compose', 'version'], ask)).code === 0;
}

/** One project a stack folder, so that two checkouts do not share containers. */
function project(paths: StackPaths): string {
  return `position-linker-${createHash('sha256').update(paths.dir).digest('hex').slice(0, 8)}`;
}

function compose(paths: StackPaths, args: readonly string[], work: Work): ReturnType<typeof runCommand> {
  return runCommand('docker', ['compose', '-p', project(paths), '-f', composeFile, ...args], { env: work.env, signal: work.signal });
}

/** Starts these services and waits for their health checks. Null where that fails: the embedded stack is then tried. */
export async function composeUp(
  names: readonly PieceName[],
  paths: StackPaths,
  ports: StackState['ports'],
  work: Work,
): Promise<{ readonly pieces: ComposedPiece[]; readonly ports: StackState['ports'] } | null> {
  const portOf: Record<string, number> = {};
  const env: NodeJS.ProcessEnv = { ...work.env };
  const up = await compose(paths, ['ps', '--services', '--status', 'running'], work);
  const running = new Set(up.code === 0 ? up.output.split(/\s+/) : []);
  // A service may bring along another that was not asked for; that one must not stumble over a taken port either.
  for (const name of pieceNames) {
    const remembered = ports[`compose.${name}`];
    // A running container holds its own port, which must not count as taken.
    const port = running.has(name) && remembered !== undefined ? remembered : await freePort(remembered, new Set(Object.values(portOf)));
    portOf[`compose.${name}`] = port;
    env[services[name].portVariable] = String(port);
  }
  work.say(`starting ${names.join(', ')} with Docker Compose (the first time downloads images)`);
  const run = await compose(paths, ['up', '-d', '--wait', '--wait-timeout', '300', ...names], { ...work, env });
  const pieces = names.map((name) => ({ name, source: 'compose' as const, address: services[name].address(portOf[`compose.${name}`] ?? 0) }));
  const ails = run.code === 0 ? await Promise.all(pieces.map((piece) => ailment(piece.name, piece.address, 10_000))) : [run.output];
  const complaint = ails.find((ail) => ail !== null);
  if (complaint === undefined) return { pieces, ports: portOf };
  work.say(`Docker Compose could not start them, so they are started as processes instead:\n${lastLines(complaint ?? '', 6)}`);
  await compose(paths, ['down', '--remove-orphans'], work);
  return null;
}

/** Stops and removes this stack's containers; its named volumes too when asked. */
export async function composeDown(paths: StackPaths, volumes: boolean, work: Work): Promise<void> {
  work.say('stopping the containers');
  const run = await compose(paths, ['--profile', 'console', 'down', '--remove-orphans', ...(volumes ? ['--volumes'] : [])], work);
  if (run.code !== 0) work.say(`docker compose down failed:\n${lastLines(run.output, 6)}`);
}
