import { expect } from 'chai';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportLines } from '../../src/cli/stack.js';
import { addressList, registryAccess } from '../../src/stack/health.js';
import { stackDir, stackPaths } from '../../src/stack/paths.js';
import { StackError } from '../../src/stack/stack-error.js';
import { fromEnvironment, hidePassword } from '../../src/stack/stack-addresses.js';
import { stackDown, stackEnv, stackUp } from '../../src/stack/stack.js';
import { emptyState, type StackState } from '../../src/stack/state.js';

describe('stack addresses', () => {
  it('come from the environment piece by piece, before anything else', () => {
    expect(fromEnvironment({ KAFKA_BROKERS: 'a:1,b:2', DATABASE_URL: ' ' }, emptyState)).to.deep.equal([
      { name: 'kafka', source: 'environment', address: 'a:1,b:2' },
    ]);
    expect(fromEnvironment({ SCHEMA_REGISTRY_URL: 'http://r:1/apis/ccompat/v7//' }, emptyState)).to.deep.equal([
      { name: 'registry', source: 'environment', address: 'http://r:1/apis/ccompat/v7' },
    ]);
  });

  it('that this stack gave out itself are its own, so that it may start the piece again', () => {
    const own: StackState = { ...emptyState, pieces: { kafka: { source: 'embedded', address: '127.0.0.1:4000' } } };
    expect(fromEnvironment({ KAFKA_BROKERS: '127.0.0.1:4000' }, own)).to.deep.equal([]);
    expect(fromEnvironment({ KAFKA_BROKERS: '127.0.0.1:4001' }, own)).to.have.length(1);
  });

  it('of a registry keep user and password out of the request line', () => {
    expect(registryAccess('http://me:s%40@r:1/v7/')).to.deep.equal({ url: 'http://r:1/v7', headers: { authorization: `Basic ${btoa('me:s@')}` } });
    expect(registryAccess('http://r:1')).to.deep.equal({ url: 'http://r:1', headers: {} });
  });

  it('split at commas', () => {
    expect(addressList(' a:1, b:2 ,,')).to.deep.equal(['a:1', 'b:2']);
  });

  it('hide the password on a screen', () => {
    expect(hidePassword('postgres://me:secret@h:1/d')).to.equal('postgres://me:***@h:1/d');
    expect(hidePassword('127.0.0.1:9092')).to.equal('127.0.0.1:9092');
  });

  it('are printed for a shell, quoted where it would take them apart', () => {
    const addresses = { kafkaBrokers: ['a:1', 'b:2'], schemaRegistryUrl: 'http://r:1/v7', databaseUrl: "postgres://u:p'&x@h/d", pieces: [] };
    expect(exportLines(addresses)).to.equal(
      "export KAFKA_BROKERS=a:1,b:2\nexport SCHEMA_REGISTRY_URL=http://r:1/v7\nexport DATABASE_URL='postgres://u:p'\\''&x@h/d'\n",
    );
  });

  it('lie below one folder, which the environment may name; downloads may be shared', () => {
    expect(stackDir({ POSITION_LINKER_STACK_DIR: '/x/y' })).to.equal('/x/y');
    expect(stackDir({})).to.match(/\.stack$/);
    expect(stackPaths('/x').downloadsDir).to.equal('/x/downloads');
    expect(stackPaths('/x', { POSITION_LINKER_DOWNLOADS_DIR: '/d' }).downloadsDir).to.equal('/d');
  });
});

describe('a stack that is not there', () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'stack-none-'))));
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const failure = async (work: Promise<unknown>): Promise<StackError> => {
    const error = await work.then(() => null, (caught: unknown) => caught);
    expect(error).to.be.instanceOf(StackError);
    return error as StackError;
  };

  it('has no addresses, and `stack env` says which command gives some', async () => {
    const error = await failure(stackEnv({ env: { POSITION_LINKER_STACK_DIR: dir } }));
    expect(error.message).to.contain('kafka is not started');
    expect(error.nextStep).to.contain('stack up');
  });

  it('is not started while an address in the environment does not answer; the error names the variable', async () => {
    const env = { POSITION_LINKER_STACK_DIR: dir, SCHEMA_REGISTRY_URL: 'http://127.0.0.1:9/apis' };
    const error = await failure(stackUp({ env }));
    expect(error.message).to.contain('SCHEMA_REGISTRY_URL').and.to.contain('127.0.0.1:9');
    expect(readdirSync(dir)).to.deep.equal([]);
  });

  it('is down already', async () => {
    const env = { POSITION_LINKER_STACK_DIR: join(dir, 'never') };
    expect(await stackDown({ env })).to.deep.equal({ ended: [], composeStopped: false, volumesRemoved: false });
  });
});
