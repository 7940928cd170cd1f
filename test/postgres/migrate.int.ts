import { expect } from 'chai';
import { GuidedError } from '../../src/config/guided-error.js';
import { migrate, requireMigrated } from '../../src/postgres/migrate.js';
import { MIGRATIONS } from '../../src/postgres/migrations/migrations.js';
import { databaseUrl, scratchSchema, type Scratch } from './scratch-database.js';

async function refusal(work: Promise<unknown>): Promise<GuidedError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof GuidedError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('migrations', () => {
  let scratch: Scratch;

  beforeEach(async () => {
    scratch = await scratchSchema({ isMigrated: false });
  });

  afterEach(() => scratch.drop());

  it('make everything once, and nothing the second time', async () => {
    const applied = await migrate(databaseUrl(), scratch.schema);
    expect(applied.map(({ version }) => version)).to.deep.equal(MIGRATIONS.map(({ version }) => version));
    expect(await migrate(databaseUrl(), scratch.schema)).to.deep.equal([]);
    await requireMigrated(scratch.open(), scratch.schema);
  });

  it('may be started by many at once', async () => {
    const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(databaseUrl(), scratch.schema)));
    expect(applied.flat().length).to.equal(MIGRATIONS.length);
  });

  it('refuse a schema of a newer program', async () => {
    await migrate(databaseUrl(), scratch.schema, [...MIGRATIONS, { version: MIGRATIONS.length + 1, name: 'of the future', sql: 'CREATE TABLE future ()' }]);
    const error = await refusal(migrate(databaseUrl(), scratch.schema));
    expect(error.message).to.contain(`version ${MIGRATIONS.length + 1}`).and.contain(`only ${MIGRATIONS.length}`);
    expect((await refusal(requireMigrated(scratch.open(), scratch.schema))).message).to.equal(error.message);
  });

  it('a failed step leaves nothing of itself, and the steps before it stand', async () => {
    const broken = { version: MIGRATIONS.length + 1, name: 'broken', sql: 'CREATE TABLE half (); SELECT 1 / 0' };
    let failed = false;
    await migrate(databaseUrl(), scratch.schema, [...MIGRATIONS, broken]).catch(() => {
      failed = true;
    });
    expect(failed).to.equal(true);
    const [row] = await scratch.open().query(`SELECT to_regclass('half') AS half, to_regclass('orders') IS NOT NULL AS orders`);
    expect(row).to.deep.equal({ half: null, orders: true });
    expect(await migrate(databaseUrl(), scratch.schema)).to.deep.equal([]);
  });

  it('a role that finds no tables says which command makes them', async () => {
    expect((await refusal(requireMigrated(scratch.open(), scratch.schema))).nextStep).to.contain('db migrate');
  });

  it('versions are 1, 2, 3, …', () => {
    expect(MIGRATIONS.map(({ version }) => version)).to.deep.equal(MIGRATIONS.map((_, index) => index + 1));
  });
});
