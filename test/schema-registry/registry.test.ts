import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { readRecordSchemas } from '../../src/avro/record-schema.js';
import { NO_GATE_FILE } from '../../src/schema-gate/gate-rules.js';
import type { CompatibilityLevel } from '../../src/schema-gate/levels.js';
import { applyRegistration, planRegistration, RegistrationRefused, registrationText, type RegistrationChoices } from '../../src/schema-registry/register-schemas.js';
import { differencesText, registryDifferences } from '../../src/schema-registry/registry-difference.js';
import { recordSubjects } from '../../src/schema-registry/record-subjects.js';
import { IncompatibleSchemaError, RegistryClient, RegistryError } from '../../src/schema-registry/registry-client.js';
import { RegistrySchemas } from '../../src/schema-registry/registry-schemas.js';

interface Request {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | null;
  readonly body: string;
}

/** Answers a request with status and body; a text that is no JSON goes out as it is. */
type Answer = (request: Request) => readonly [status: number, body: unknown];

async function withServer(answer: Answer, use: (url: string, requests: Request[]) => Promise<void>): Promise<void> {
  const requests: Request[] = [];
  const server: Server = createServer((incoming, response) => {
    void readBody(incoming).then((body) => {
      const request = { method: incoming.method ?? '', url: incoming.url ?? '', authorization: incoming.headers.authorization ?? null, body };
      requests.push(request);
      const [status, reply] = answer(request);
      response.writeHead(status).end(typeof reply === 'string' ? reply : JSON.stringify(reply));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use(`127.0.0.1:${(server.address() as AddressInfo).port}`, requests);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of incoming) text += String(chunk);
  return text;
}

async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.fail('resolved'),
    (error: unknown) => error as Error,
  );
}

describe('RegistryClient', () => {
  it('keeps the path of its URL and sends its user and password, which no error shows', async () => {
    await withServer(
      ({ url }) => (url.endsWith('/schemas/ids/7') ? [200, { schema: '"string"' }] : [401, { error_code: 401, message: 'who are you' }]),
      async (address, requests) => {
        const client = new RegistryClient(`http://us%40er:pa%3Ass@${address}/apis/ccompat/v7/`);
        expect(await client.schemaText(7)).to.equal('"string"');
        expect(requests[0]).to.deep.include({ url: '/apis/ccompat/v7/schemas/ids/7', authorization: `Basic ${Buffer.from('us@er:pa:ss').toString('base64')}` });
        const error = (await failure(client.schemaText(8))) as RegistryError;
        expect(error).to.be.instanceOf(RegistryError);
        expect(error.nextStep).to.include('user:password');
        expect(error.message).to.include('who are you').and.not.include('pa:ss');
      },
    );
  });

  it('takes only the error code of the API for "there is none"', async () => {
    await withServer(
      ({ url }) => (url.includes('/1') ? [404, { error_code: 40403, message: 'none' }] : url.includes('/2') ? [404, { error_code: 404, message: 'no such path' }] : [200, '<html>']),
      async (address) => {
        const client = new RegistryClient(`http://${address}`);
        expect(await client.schemaText(1)).to.equal(null);
        expect((await failure(client.schemaText(2))).message).to.include('404');
        expect((await failure(client.schemaText(3))).message).to.include('does not answer in JSON');
      },
    );
  });

  it('tries again while the server is ill, then says so', async () => {
    let left = 2;
    await withServer(
      () => (left-- > 0 ? [503, 'starting'] : [200, { schema: '"int"' }]),
      async (address, requests) => {
        expect(await new RegistryClient(`http://${address}`).schemaText(1)).to.equal('"int"');
        expect(requests).to.have.length(3);
      },
    );
  });

  it('goes on with the next URL where one does not answer, and stays there', async () => {
    await withServer(
      () => [200, { schema: '"int"' }],
      async (address, requests) => {
        const client = new RegistryClient(`http://127.0.0.1:1,http://${address}`);
        expect(await client.schemaText(1)).to.equal('"int"');
        expect(await client.schemaText(2)).to.equal('"int"');
        expect(requests).to.have.length(2);
      },
    );
  });

  it('understands what Confluent and Apicurio answer where a subject has no level, no versions, or a schema is none', async () => {
    const answers: Readonly<Record<string, readonly [number, unknown]>> = {
      '/config/own?defaultToGlobal=false': [200, { compatibilityLevel: 'FULL' }],
      // Confluent's own code for it; before it had one, and elsewhere, that of a missing subject.
      '/config/new?defaultToGlobal=false': [404, { error_code: 40408, message: 'no level' }],
      '/config/old?defaultToGlobal=false': [404, { error_code: 40401, message: 'no subject' }],
      '/config': [200, { compatibilityLevel: 'BACKWARD' }],
      '/subjects/new/versions': [404, { error_code: 40401, message: 'no subject' }],
      '/subjects/own/versions': [200, [10, 9]],
      '/subjects/own/versions/11': [404, { error_code: 40402, message: 'no version' }],
    };
    await withServer(
      ({ url, method }) => (method === 'POST' ? [422, { error_code: 42201, message: 'Invalid Avro schema' }] : (answers[url] ?? [500, {}])),
      async (address) => {
        const client = new RegistryClient(`http://${address}`);
        expect([await client.level('own'), await client.level('new'), await client.level('old'), await client.globalLevel()]).to.deep.equal(['FULL', null, null, 'BACKWARD']);
        expect([await client.versions('new'), await client.versions('own'), await client.version('own', 11)]).to.deep.equal([[], [9, 10], null]);
        const error = await failure(client.register('own', '{'));
        expect(error).to.be.instanceOf(RegistryError);
        expect(error.message).to.include('422').and.include('Invalid Avro schema');
      },
    );
  });

  it('asks again where the registry collided with itself over a new subject, as Apicurio does', async () => {
    let asked = 0;
    await withServer(
      () => (asked++ === 0 ? [409, { error_code: 409, message: "An artifact with ID 's' in group 'null' already exists." }] : [200, { id: 5 }]),
      async (address) => {
        expect(await new RegistryClient(`http://${address}`).register('s', '"string"')).to.equal(5);
      },
    );
    expect(asked).to.equal(2);
  });

  it('calls a refused schema incompatible', async () => {
    await withServer(
      () => [409, { error_code: 409, message: 'reader misses a default' }],
      async (address) => {
        const error = await failure(new RegistryClient(`http://${address}`).register('a/b', '{}'));
        expect(error).to.be.instanceOf(IncompatibleSchemaError);
        expect(error.message).to.include('a/b').and.include('reader misses a default');
      },
    );
  });
});

const schemas = readRecordSchemas();
const watermark = schemas.find((schema) => schema.name === 'Watermark')!;
const subjects = recordSubjects('n', [{ name: 't', records: ['Watermark'] }, { name: 'u', records: ['Watermark'] }], schemas);

describe('RegistrySchemas', () => {
  function source(texts: Record<number, string>, clock: { ms: number }) {
    const asked: number[] = [];
    const client = { version: async () => null, versions: async () => [], schemaText: async (id: number) => (asked.push(id), texts[id] ?? null) };
    return { asked, schemas: new RegistrySchemas(client, subjects, () => clock.ms) };
  }

  it('asks for an id once, and for one that does not exist again after half a minute', async () => {
    const clock = { ms: 5 };
    const texts: Record<number, string> = { 1: '"int"' };
    const { asked, schemas: registry } = source(texts, clock);
    expect(await Promise.all([registry.textOf(1), registry.textOf(1), registry.textOf(9), registry.textOf(9)])).to.deep.equal(['"int"', '"int"', null, null]);
    await registry.textOf(1);
    clock.ms += 29_000;
    expect(await registry.textOf(9)).to.equal(null);
    expect(asked).to.deep.equal([1, 9]);
    texts[9] = '"long"';
    clock.ms += 1_001;
    expect(await registry.textOf(9)).to.equal('"long"');
    expect(asked).to.deep.equal([1, 9, 9]);
  });

  it('does not take a registry that is down for an unknown id', async () => {
    let isDown = true;
    const client = { version: async () => null, versions: async () => [], schemaText: async () => (isDown ? Promise.reject(new Error('down')) : '"int"') };
    const registry = new RegistrySchemas(client, subjects);
    expect((await failure(registry.textOf(1))).message).to.equal('down');
    isDown = false;
    expect(await registry.textOf(1)).to.equal('"int"');
  });

  it('finds our schema among later versions, in any spelling, docs aside', async () => {
    const spelled = JSON.stringify({ fields: watermark.schema.fields?.map(({ doc: _, ...field }) => field), name: watermark.fullName, type: 'record', doc: 'other' });
    const versions = [
      { id: 11, version: 1, schema: spelled },
      { id: 12, version: 2, schema: JSON.stringify({ ...watermark.schema, fields: [] }) },
    ];
    const client = { schemaText: async () => null, versions: async () => [1, 2], version: async (_: string, version: number | 'latest') => versions[version === 'latest' ? 1 : version - 1] ?? null };
    expect(await new RegistrySchemas(client, subjects).idOf(watermark)).to.equal(11);
  });

  it('names every subject that is missing and the command that mends it', async () => {
    const client = { schemaText: async () => null, versions: async () => [], version: async () => null };
    const error = await failure(new RegistrySchemas(client, subjects).idOf(watermark));
    expect(error.message).to.include('n.t-position_linker.Watermark, n.u-position_linker.Watermark');
    expect(error).to.have.property('nextStep').that.includes('schemas register');
  });
});

describe('registration', () => {
  it('sets the level of every subject before the first schema, and does nothing the second time', async () => {
    const levels = new Map<string, string>();
    const registered = new Map<string, string[]>();
    const calls: string[] = [];
    const client = {
      level: async (subject: string) => (levels.get(subject) ?? null) as never,
      globalLevel: async () => 'NONE' as const,
      versions: async (subject: string) => (registered.get(subject) ?? []).map((_, index) => index + 1),
      version: async (subject: string, version: number | 'latest') => ({ id: 1, version: 1, schema: registered.get(subject)?.[Number(version) - 1] ?? '' }),
      setLevel: async (subject: string, level: string) => void (levels.set(subject, level), calls.push(`level ${subject}`)),
      register: async (subject: string, text: string) => (registered.set(subject, [...(registered.get(subject) ?? []), text]), calls.push(`register ${subject}`)),
    };
    const plans = await planRegistration(client, subjects);
    expect(registrationText(plans).split('\n')[0]).to.equal('level n.t-position_linker.Watermark: (none) → FULL_TRANSITIVE');
    await applyRegistration(client, plans);
    expect(calls.map((call) => call.split(' ')[0])).to.deep.equal(['level', 'level', 'register', 'register']);
    expect([...levels.values()]).to.deep.equal(['FULL_TRANSITIVE', 'FULL_TRANSITIVE']);
    expect(await planRegistration(client, subjects)).to.deep.equal([]);

    levels.set('n.t-position_linker.Watermark', 'NONE');
    registered.set('n.u-position_linker.Watermark', [JSON.stringify({ ...watermark.schema, doc: 'an older text' })]);
    expect(registrationText(await planRegistration(client, subjects))).to.equal('level n.t-position_linker.Watermark: NONE → FULL_TRANSITIVE\nregister n.u-position_linker.Watermark, version 2');
  });

  const registryWith = (level: CompatibilityLevel | null, versions: readonly object[]): Parameters<typeof planRegistration>[0] => ({
    level: async () => level,
    globalLevel: async () => 'BACKWARD',
    versions: async () => versions.map((_, index) => index + 1),
    version: async (_subject, version) => ({ id: 1, version: Number(version), schema: JSON.stringify(versions[Number(version) - 1]) }),
  });
  const [only] = subjects.slice(0, 1);
  const choices = (level: CompatibilityLevel, isLooseningAllowed = false): RegistrationChoices => ({ rules: { ...NO_GATE_FILE, level }, isLooseningAllowed });

  it('never loosens a level by the way, be it the subject\'s or that of the registry', async () => {
    const strict = registryWith('FULL', [watermark.schema]);
    expect(registrationText(await planRegistration(strict, [only!], choices('BACKWARD')))).to.equal('level n.t-position_linker.Watermark: stays FULL, stricter than the declared BACKWARD (--allow-looser-level sets it)');
    expect(registrationText(await planRegistration(strict, [only!], choices('BACKWARD', true)))).to.equal('level n.t-position_linker.Watermark: FULL → BACKWARD');
    const inherited = registryWith(null, [watermark.schema]);
    expect((await planRegistration(inherited, [only!], choices('NONE')))[0]).to.deep.include({ level: null, stricter: { is: 'BACKWARD', declared: 'NONE' } });
    // Before the first version there is nothing to loosen.
    expect((await planRegistration(registryWith(null, []), [only!], choices('NONE')))[0]).to.deep.include({ level: { from: null, to: 'NONE' }, stricter: null });
  });

  it('does nothing at all where one schema would be refused', async () => {
    const older = { ...watermark.schema, fields: [{ name: 'other', type: 'string', doc: 'Without a default.' }] };
    const plans = await planRegistration(registryWith('FULL', [older]), [only!], choices('FULL'));
    expect(registrationText(plans)).to.include('register n.t-position_linker.Watermark, version 2\nrefused n.t-position_linker.Watermark /fields/0: the new schema cannot read records of version 1');
    const calls: string[] = [];
    const error = await failure(applyRegistration({ setLevel: async () => void calls.push('level'), register: async () => calls.push('register') }, plans));
    expect(error).to.be.instanceOf(RegistrationRefused);
    expect(error.message).to.include('nothing was registered').and.include('/fields: new records cannot be read with version 1');
    expect(calls).to.deep.equal([]);
  });
});

describe('the difference between schemas and a registry', () => {
  const client = (level: CompatibilityLevel, versions: readonly object[]): Parameters<typeof registryDifferences>[0] => ({
    level: async () => level,
    subjects: async () => ['n.t-position_linker.Watermark', 'n.gone-value'],
    versions: async () => versions.map((_, index) => index + 1),
    version: async (_subject, version) => ({ id: 1, version: version === 'latest' ? versions.length : version, schema: JSON.stringify(versions[(version === 'latest' ? versions.length : version) - 1]) }),
  });
  const differences = async (asked: Parameters<typeof registryDifferences>[0], prefix: string | null = null): Promise<string> => differencesText(await registryDifferences(asked, subjects.slice(0, 1), NO_GATE_FILE, prefix));

  it('names what is missing, undeclared, of another level, or otherwise, field by field', async () => {
    const later = { ...watermark.schema, fields: [...(watermark.schema.fields ?? []), { name: 'more', type: 'int', default: 0 }] };
    expect(await differences(client('FULL_TRANSITIVE', [watermark.schema]))).to.equal('');
    expect(await differences(client('NONE', []))).to.include('Watermark: not-registered');
    expect(await differences(client('NONE', [watermark.schema]))).to.equal('n.t-position_linker.Watermark: level\n  NONE → FULL_TRANSITIVE\n');
    expect(await differences(client('FULL_TRANSITIVE', [later]))).to.equal('n.t-position_linker.Watermark: schema\n  - Watermark.more: int, default 0\n');
    expect(await differences(client('FULL_TRANSITIVE', [watermark.schema, later]))).to.include('not-latest\n  the file is version 1; version 2 came after it');
    expect(await differences(client('FULL_TRANSITIVE', [watermark.schema]), 'n.')).to.equal('n.gone-value: not-declared\n  in the registry, under no declared topic\n');
  });
});
