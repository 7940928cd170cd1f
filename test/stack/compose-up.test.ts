import { expect } from 'chai';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { composeDown, composeEngine, composeUp } from '../../src/stack/compose.js';
import { stackPaths } from '../../src/stack/paths.js';

/** Docker Compose as the stack uses it, with a script in place of its client that notes how it was called. */
describe('stack with Docker Compose', () => {
  let dir: string;
  let server: Server;
  let port: number;
  const lines: string[] = [];

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'stack-compose-'));
    lines.length = 0;
    server = createServer((_request, response) => response.end('[]')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
    rmSync(dir, { recursive: true, force: true });
  });

  /** `answers`: per word of the call that decides, what the client prints and its exit code. */
  const work = (answers: Readonly<Record<string, readonly [string, number]>>) => {
    const bin = join(dir, 'bin');
    mkdirSync(bin, { recursive: true });
    const cases = Object.entries(answers).map(([word, [text, code]]) => `*" ${word} "*) echo '${text}'; exit ${code};;`);
    const script = `#!/bin/sh\necho "$* REGISTRY=$POSITION_LINKER_REGISTRY_PORT" >> ${join(dir, 'calls')}\ncase " $* " in\n${cases.join('\n')}\nesac\n`;
    writeFileSync(join(bin, 'docker'), script, { mode: 0o755 });
    return { env: { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH']}` }, say: (line: string) => lines.push(line), signal: undefined };
  };
  const calls = (): string[] => readFileSync(join(dir, 'calls'), 'utf8').trim().split('\n');

  it('is used where an engine answers and the client knows Compose', async () => {
    expect(await composeEngine(work({}))).to.equal(true);
    expect(await composeEngine(work({ info: ['cannot connect', 1] }))).to.equal(false);
    expect(await composeEngine(work({ version: ['no such command', 1] }))).to.equal(false);
    expect(await composeEngine({ ...work({}), env: { PATH: join(dir, 'nothing') } })).to.equal(false);
  });

  it('starts the missing services at ports it was told, waits for them, and gives their addresses', async () => {
    const running = work({ ps: ['registry', 0] });
    const up = await composeUp(['registry'], stackPaths(dir), { 'compose.registry': port }, running);
    expect(up?.pieces).to.deep.equal([{ name: 'registry', source: 'compose', address: `http://127.0.0.1:${port}/apis/ccompat/v7` }]);
    expect(up?.ports['compose.registry']).to.equal(port);
    // The registry brings its database along.
    expect(up?.ports['compose.postgres']).to.be.greaterThan(0);
    expect(calls().at(-1)).to.match(/^compose -p position-linker-[0-9a-f]{8} -f \S+docker-compose\.kafka\.yml up -d --wait .* registry REGISTRY=\d+$/);
    expect(calls().at(-1)).to.contain(`REGISTRY=${port}`);
  });

  it('does not take a port that something else holds', async () => {
    const up = await composeUp(['registry'], stackPaths(dir), { 'compose.registry': port }, work({ ps: ['', 0], up: ['no image', 1] }));
    expect(up).to.equal(null);
    expect(calls().find((call) => call.includes(' up '))).to.not.contain(`REGISTRY=${port}`);
  });

  it('says why and leaves no container where that fails, so that the embedded stack can take over', async () => {
    expect(await composeUp(['registry'], stackPaths(dir), {}, work({ up: ['manifest unknown', 1] }))).to.equal(null);
    expect(lines.join('\n')).to.contain('manifest unknown');
    expect(calls().at(-1)).to.contain(' down --remove-orphans');
  });

  it('fails too where the containers run but nothing answers', async () => {
    const closed = { 'compose.registry': 9 };
    expect(await composeUp(['registry'], stackPaths(dir), closed, work({ ps: ['registry', 0] }))).to.equal(null);
  });

  it('removes volumes only when asked', async () => {
    await composeDown(stackPaths(dir), false, work({}));
    expect(calls().at(-1)).to.contain('down --remove-orphans').and.not.contain('--volumes');
    await composeDown(stackPaths(dir), true, work({}));
    expect(calls().at(-1)).to.contain('--volumes');
  });
});
