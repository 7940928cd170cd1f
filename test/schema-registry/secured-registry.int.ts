import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { stackEnvironment, temporaryNamespace } from '../cli/temporary-namespace.js';

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function schemasDiff(url: string, namespace: string, env: Record<string, string>): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts', 'schemas', 'diff', '--namespace', namespace, '--registry-url', url], { env: { ...process.env, ...env } });
    const run = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (run.stdout += String(chunk)));
    child.stderr.on('data', (chunk) => (run.stderr += String(chunk)));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...run }));
  });
}

describe('a registry behind TLS and a password', () => {
  const folder = mkdtempSync(join(tmpdir(), 'registry-tls-'));
  const [store, certificate, password] = [join(folder, 'keys.p12'), join(folder, 'ca.pem'), 'changeit'];
  let server: Server;
  let address: string;

  before(async () => {
    const keytool = (...args: readonly string[]): void => void execFileSync('keytool', [...args, '-keystore', store, '-storepass', password], { stdio: 'pipe' });
    keytool('-genkeypair', '-alias', 'registry', '-keyalg', 'EC', '-dname', 'CN=localhost', '-ext', 'san=dns:localhost', '-validity', '2', '-storetype', 'PKCS12');
    keytool('-exportcert', '-rfc', '-alias', 'registry', '-file', certificate);
    const target = stackEnvironment().SCHEMA_REGISTRY_URL.split(',')[0] as string;
    server = createServer({ pfx: readFileSync(store), passphrase: password }, (request, response) => {
      if (request.headers.authorization !== `Basic ${Buffer.from('reader:s3cret').toString('base64')}`) {
        response.writeHead(401).end(JSON.stringify({ error_code: 401, message: 'who are you' }));
        return;
      }
      void fetch(`${target}${request.url ?? ''}`).then(async (answer) => void response.writeHead(answer.status).end(await answer.text()));
    });
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    address = `localhost:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is read by whoever trusts its authority and has the password, after a URL that does not answer', async () => {
    const namespace = temporaryNamespace('tls');
    const [trusted, untrusted, stranger] = await Promise.all([
      schemasDiff(`https://reader:s3cret@localhost:1,https://reader:s3cret@${address}`, namespace, { NODE_EXTRA_CA_CERTS: certificate }),
      schemasDiff(`https://reader:s3cret@${address}`, namespace, {}),
      schemasDiff(`https://reader:wrong@${address}`, namespace, { NODE_EXTRA_CA_CERTS: certificate }),
    ]);
    expect([trusted.stderr, trusted.code]).to.deep.equal(['', 3]);
    expect(trusted.stdout).to.include(`${namespace}.ws-gateway.order-position_linker.OrderUpdate: not-registered`);
    expect(untrusted.code).to.equal(1);
    expect(untrusted.stderr).to.include('NODE_EXTRA_CA_CERTS').and.not.include('s3cret');
    expect(stranger.code).to.equal(1);
    expect(stranger.stderr).to.include('401').and.include('user:password').and.not.include('wrong@');
  });
});
