import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { COMMAND_GROUPS } from '../../src/cli/command-groups.js';
import { runCommandLine } from '../../src/cli/run-command-line.js';
import { openDatabase, type Database } from '../../src/postgres/database.js';
import { removeNamespace, stackEnvironment, temporaryNamespace } from '../cli/temporary-namespace.js';

export function captureFile(name: string): string {
  if (isAbsolute(name)) return name;
  return fileURLToPath(new URL(`../captures/${name}/frames.jsonl.gz`, import.meta.url));
}

export interface TableReport {
  readonly table: string;
  readonly live: string;
  readonly rebuilt: string;
  readonly changed: number;
  readonly missing: number;
  readonly added: number;
  readonly differences: readonly { readonly kind: string; readonly columns: Readonly<Record<string, { readonly live: string | null; readonly rebuilt: string | null }>> }[];
}

export interface Report {
  readonly equal: boolean;
  readonly swapped: boolean;
  readonly resumed: number;
  readonly records: number;
  readonly tables: readonly TableReport[];
}

/** A pipeline of its own that has taken in one session, and what the log of it says. */
export class RebuildSession {
  readonly namespace = temporaryNamespace('rebuild');
  readonly partitions: number;
  readonly capture: string;
  readonly database: Database;

  constructor(capture: string, partitions: number) {
    this.capture = capture;
    this.partitions = partitions;
    this.database = openDatabase({ databaseUrl: stackEnvironment().DATABASE_URL, schema: this.namespace });
  }

  async command(...words: string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
    let [stdout, stderr] = ['', ''];
    const code = await runCommandLine(COMMAND_GROUPS, words, {
      stdout: (text) => (stdout += text), stderr: (text) => (stderr += text), signal: new AbortController().signal,
      env: { ...stackEnvironment(), POSITION_LINKER_NAMESPACE: this.namespace, POSITION_LINKER_LOG_LEVEL: 'error' },
    });
    return { code, stdout, stderr };
  }

  async done(...words: string[]): Promise<void> {
    const { code, stderr } = await this.command(...words);
    expect(code, stderr).to.equal(0);
  }

  async start(...settings: string[]): Promise<this> {
    await this.done('setup', '--partitions', String(this.partitions));
    await this.done('ingest', '--capture', captureFile(this.capture));
    await this.done('run', 'all', '--drain', ...settings);
    return this;
  }

  async rebuild(expected: number, ...words: string[]): Promise<Report> {
    const { code, stdout, stderr } = await this.command('rebuild', '--json', ...words);
    expect(code, `${stderr}${stdout.slice(0, 4_000)}`).to.equal(expected);
    return JSON.parse(stdout) as Report;
  }

  table(report: Report, name: string): TableReport {
    return report.tables.find(({ table }) => table === name) as TableReport;
  }

  /** All rows as the server shows them. */
  async rows(): Promise<string> {
    const texts: string[] = [];
    for (const table of ['orders', 'positions', 'portfolio', 'position_orders', 'position_cycles', 'position_discrepancies', 'prediction_trading_results', 'prediction_cycles', 'sink_offsets']) {
      texts.push(...(await this.database.query<{ row: string }>(`SELECT '${table} ' || t::text AS row FROM ${table} t`)).map(({ row }) => row).sort());
    }
    return texts.join('\n');
  }

  async end(): Promise<void> {
    await this.database.close();
    await removeNamespace(stackEnvironment(), this.namespace);
  }
}
