import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { databaseSchema, deadLetterTopic, groupId, topicName } from '../src/config/namespace.js';
import { OPTIONS } from '../src/config/options.js';
import { roleTable, type Role } from '../src/cli/role-table.js';
import { setupCommands } from '../src/cli/setup.js';
import { runCommandLine } from '../src/cli/run-command-line.js';
import { TopicAdmin } from '../src/kafka/admin.js';
import { dropSchema } from '../src/postgres/drop-schema.js';
import { clearNamespace } from '../src/stack/clear-namespace.js';
import type { StackAddresses } from '../src/stack/stack-addresses.js';

const LOOK_AGAIN_MS = 50;

/** Environment variables that name the stack to a command. */
export function stackVariables(stack: StackAddresses): Record<string, string> {
  return { KAFKA_BROKERS: stack.kafkaBrokers.join(','), SCHEMA_REGISTRY_URL: stack.schemaRegistryUrl, DATABASE_URL: stack.databaseUrl };
}

/** A pipeline of its own on the stack: set up, put back to before some roles ran, and removed. */
export class BenchNamespace {
  readonly name = `bench_${randomBytes(5).toString('hex')}`;
  readonly partitions: number;
  readonly #stack: StackAddresses;

  constructor(stack: StackAddresses, partitions: number) {
    this.#stack = stack;
    this.partitions = partitions;
  }

  /** Creates what is missing. */
  async setUp(): Promise<void> {
    const said: string[] = [];
    const code = await runCommandLine([{ words: ['setup'], load: async () => setupCommands }], ['setup', '--namespace', this.name, '--partitions', String(this.partitions)], {
      stdout: () => undefined,
      stderr: (text) => void said.push(text),
      signal: new AbortController().signal,
      env: stackVariables(this.#stack),
    });
    if (code !== 0) throw new Error(`setup of ${this.name} failed: ${said.join('')}`);
  }

  /** As if these roles had never run: their groups, state and outputs are new, and with a sink among them the tables. */
  async reset(roleNames: readonly string[]): Promise<void> {
    const roles = roleTable(defaultOptions()).filter(({ name }) => roleNames.includes(name));
    const admin = new TopicAdmin({ brokers: this.#stack.kafkaBrokers, clientId: 'bench' });
    try {
      for (const { name } of roles) await admin.deleteGroups([groupId(this.name, name)]).catch(ignoreUnknownGroup);
      const written = new Set(roles.flatMap(topicsWrittenBy).map((topic) => topicName(this.name, topic)));
      await admin.delete([...written]);
      // A broker goes on naming them for a moment, and would then seem to have what is about to be created.
      while ((await admin.topicNames()).some((topic) => written.has(topic))) await pause(LOOK_AGAIN_MS);
    } finally {
      await admin.close();
    }
    if (roles.some(({ changelog }) => changelog === null)) await dropSchema(this.#stack.databaseUrl, databaseSchema(this.name));
    await this.setUp();
  }

  async clear(): Promise<void> {
    const { kafkaBrokers, schemaRegistryUrl, databaseUrl } = this.#stack;
    await clearNamespace(this.name, { brokers: kafkaBrokers, registryUrl: schemaRegistryUrl, databaseUrl });
  }
}

function topicsWrittenBy({ inputs, outputs, changelog }: Role): string[] {
  return [...inputs.map(deadLetterTopic), ...outputs, ...(changelog === null ? [] : [changelog])];
}

function defaultOptions(): Parameters<typeof roleTable>[0] {
  const { policy, joinWindowMs, horizonMs, horizonEvents, signalPattern } = OPTIONS;
  const valueOf = <T>({ fallback }: { readonly fallback: T | undefined }): T => fallback as T;
  return { policy: valueOf(policy), joinWindowMs: valueOf(joinWindowMs), horizonMs: valueOf(horizonMs), horizonEvents: valueOf(horizonEvents), signalPattern: valueOf(signalPattern) };
}

/** The first reset comes before the first run. */
function ignoreUnknownGroup(error: unknown): void {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (JSON.stringify(cause).includes('GROUP_ID_NOT_FOUND') || cause.message.includes('GROUP_ID_NOT_FOUND')) return;
  if (!String(error).includes('DeleteGroups')) throw error;
}
