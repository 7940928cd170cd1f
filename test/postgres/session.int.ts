import { expect } from 'chai';
import type { Database } from '../../src/postgres/database.js';
import { DatabaseError } from '../../src/postgres/database-error.js';
import { Session } from '../../src/postgres/session.js';
import { databaseUrl, scratchSchema, type Scratch } from './scratch-database.js';

async function failure(work: Promise<unknown>): Promise<DatabaseError> {
  try {
    await work;
  } catch (error) {
    expect(error).to.be.instanceOf(DatabaseError);
    return error as DatabaseError;
  }
  throw new Error('it did not fail');
}

describe('transactions', () => {
  let scratch: Scratch;
  let database: Database;

  before(async () => {
    scratch = await scratchSchema({ isMigrated: false });
    database = scratch.open();
    const admin = scratch.open('setup');
    await admin.query(`CREATE SCHEMA "${scratch.schema}"`);
    await admin.query('CREATE TABLE kept (n integer PRIMARY KEY)');
  });

  after(() => scratch.drop());

  const kept = async (): Promise<number[]> => (await scratch.open('reader').query<{ n: number }>('SELECT n FROM kept ORDER BY n')).map(({ n }) => n);

  it('reads numbers exactly, times in UTC, lists as lists', async () => {
    const [row] = await database.query(
      `SELECT 1.50::numeric AS amount, 54717739471::int8 AS seq, 9223372036854775807::int8 AS large, true AS yes,
        timestamptz '2026-01-01 02:00:00.598+02' AS at, ARRAY['a"b', '']::text[] AS list, NULL AS nothing`,
    );
    expect(row).to.deep.equal({ amount: '1.50', seq: 54_717_739_471, large: '9223372036854775807', yes: true, at: '2026-01-01T00:00:00.598Z', list: ['a"b', ''], nothing: null });
  });

  it('commits as a whole, or not at all', async () => {
    await database.transaction(async (queries) => {
      await queries.query('INSERT INTO kept VALUES (1)');
      await queries.query('INSERT INTO kept VALUES (2)');
    });
    const error = await failure(
      database.transaction(async (queries) => {
        await queries.query('INSERT INTO kept VALUES (3)');
        await queries.query('INSERT INTO kept VALUES (1)');
      }),
    );
    expect(error).to.include({ kind: 'row', sqlState: '23505' });
    expect(await kept()).to.deep.equal([1, 2]);
  });

  it('never goes on by itself on another connection: what follows a broken one fails', async () => {
    for (let round = 0; round < 20; round++) {
      const error = await failure(
        database.transaction(async (queries) => {
          await queries.query('INSERT INTO kept VALUES (10)');
          const terminated = scratch.terminate(scratch.schema);
          if (round % 2 === 0) await terminated;
          // Time enough to notice: a client left to itself would be connected again by now.
          if (round % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
          await queries.query('INSERT INTO kept VALUES (11)');
          await terminated;
          await queries.query('INSERT INTO kept VALUES (12)');
        }),
      );
      expect(error.kind).to.equal('transient');
    }
    expect(await kept()).to.deep.equal([1, 2]);
  });

  it('a statement under way when the connection goes is told so', async () => {
    const sleeping = failure(database.transaction((queries) => queries.query('SELECT pg_sleep(30)')));
    while ((await scratch.terminate(scratch.schema)) === 0);
    expect((await sleeping).kind).to.equal('transient');
  });

  it('a server that does not answer counts as gone', async () => {
    const session = new Session({ databaseUrl: databaseUrl(), schema: 'public', queryTimeoutMs: 50 });
    const error = await failure(session.query('SELECT pg_sleep(30)'));
    expect(error.kind).to.equal('transient');
    expect(session.isUsable).to.equal(false);
    await session.end();
  });

  it('the next use connects anew', async () => {
    expect(await database.query('SELECT 1 AS one')).to.deep.equal([{ one: 1 }]);
  });
});
