import { expect } from 'chai';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { serverProperties } from '../../src/stack/embedded-kafka.js';
import { MAX_SUBJECTS } from '../../src/stack/embedded-registry.js';
import { packageRoot } from '../../src/stack/paths.js';
import { completeLibraries } from '../../src/stack/postgres-binaries.js';
import { lastLines, runCommand } from '../../src/stack/run-command.js';

describe('embedded Kafka', () => {
  const properties = Object.fromEntries(
    serverProperties('/data', 4001, 4002).trim().split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );

  it('listens and advertises on the ports it was given, on the loopback address only', () => {
    expect(properties['listeners']).to.equal('PLAINTEXT://127.0.0.1:4001,CONTROLLER://127.0.0.1:4002');
    expect(properties['advertised.listeners']).to.equal(properties['listeners']);
    expect(properties['controller.quorum.bootstrap.servers']).to.equal('127.0.0.1:4002');
  });

  it('is set up like the one in the compose file', () => {
    const compose = parse(readFileSync(join(packageRoot, 'docker-compose.kafka.yml'), 'utf8')) as {
      services: { kafka: { environment: Record<string, unknown> } };
    };
    // Where it listens, where its data lies and how it finds its controller differ between a container and a process.
    const own = /listener|log\.dirs|controller\.quorum/;
    const environment = compose.services.kafka.environment;
    for (const [name, value] of Object.entries(properties)) {
      const variable = `KAFKA_${name.toUpperCase().replaceAll('.', '_')}`;
      const unlike = ['log.segment.delete.delay.ms', 'log.cleaner.dedupe.buffer.size', 'num.network.threads', 'num.io.threads'];
      if (own.test(name) || unlike.includes(name)) continue;
      expect(String(environment[variable]), variable).to.equal(value);
    }
  });
});

describe('embedded registry', () => {
  it('lists as many subjects as the one in the compose file', () => {
    const compose = parse(readFileSync(join(packageRoot, 'docker-compose.kafka.yml'), 'utf8')) as { services: { registry: { environment: Record<string, unknown> } } };
    expect(compose.services.registry.environment['REGISTRY_CCOMPAT_MAX_SUBJECTS']).to.equal(MAX_SUBJECTS);
  });
});

describe('embedded PostgreSQL', () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'stack-pg-'))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('gets the library links that npm cannot carry, where no install script made them', () => {
    const folder = join(dir, 'copy');
    mkdirSync(join(folder, 'lib'), { recursive: true });
    writeFileSync(join(folder, 'lib', 'libx.so.1.2'), 'code');
    const links = [{ source: 'native/lib/libx.so.1.2', target: 'native/lib/libx.so.1' }];
    writeFileSync(join(folder, 'pg-symlinks.json'), JSON.stringify(links));
    completeLibraries(folder);
    completeLibraries(folder);
    expect(readFileSync(join(folder, 'lib', 'libx.so.1'), 'utf8')).to.equal('code');
  });

  it('leaves a folder without a list alone', () => {
    completeLibraries(dir);
    expect(existsSync(join(dir, 'lib'))).to.equal(false);
  });
});

describe('commands run for the stack', () => {
  it('answer their code and all they said', async () => {
    const run = await runCommand(process.execPath, ['-e', "console.log('out'); console.error('err'); process.exit(3)"]);
    expect(run.code).to.equal(3);
    expect(run.output).to.contain('out').and.to.contain('err');
  });

  it('do not throw where the program is missing', async () => {
    const run = await runCommand('/no/such/program', []);
    expect(run.code).to.equal(null);
    expect(run.output).to.contain('ENOENT');
  });

  it('end with all their children when their time is up', async () => {
    const started = Date.now();
    const run = await runCommand('/bin/sh', ['-c', 'sleep 30 & sleep 30'], { timeoutMs: 100 });
    expect(run.code).to.equal(null);
    expect(Date.now() - started).to.be.lessThan(5_000);
  });

  it('show the end of a long text', () => {
    expect(lastLines('a\nb\nc\n', 2)).to.equal('    b\n    c');
  });
});
