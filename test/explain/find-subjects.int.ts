import { expect } from 'chai';
import { findSubjects } from '../../src/explain/find-subjects.js';
import type { Database } from '../../src/postgres/database.js';
import { captureFile } from '../captures/captures.js';
import { scratchSchema, type Scratch } from '../postgres/scratch-database.js';
import { storeSession } from '../verify/stored-session.js';

describe('what an id names', function () {
  this.timeout(60_000);
  let scratch: Scratch;
  let database: Database;
  let link: { id: string; order_id: string; exec_id: string; position_id: string; signal_id: string; asset: string };

  before(async () => {
    scratch = await scratchSchema();
    database = scratch.open();
    await storeSession(database, { path: captureFile('clean').pathname });
    [link] = (await database.query<typeof link>('SELECT * FROM position_orders WHERE exec_id IS NOT NULL AND signal_id IS NOT NULL ORDER BY seq LIMIT 1')) as [typeof link];
  });
  after(() => scratch.drop());

  it('is found by kind', async () => {
    for (const [kind, id] of [['order', link.order_id], ['exec', link.exec_id], ['position', link.position_id], ['signal', link.signal_id], ['asset', link.asset]] as const) {
      expect(await findSubjects(database, kind, id)).to.deep.equal([{ kind, id, asset: link.asset }]);
    }
    expect(await findSubjects(database, 'order', link.exec_id)).to.deep.equal([]);
  });

  it('is found without a kind, and by its first characters, as show prints them', async () => {
    expect(await findSubjects(database, null, link.order_id)).to.deep.equal([{ kind: 'order', id: link.order_id, asset: link.asset }]);
    expect(await findSubjects(database, null, `${link.position_id.slice(0, 8)}…`)).to.deep.equal([{ kind: 'position', id: link.position_id, asset: link.asset }]);
    expect(await findSubjects(database, null, link.order_id.slice(0, 3))).to.deep.equal([]);
    expect(await findSubjects(database, null, '%%%%%%%%')).to.deep.equal([]);
  });

  it('is the bucket of orders without a signal', async () => {
    await database.query('UPDATE prediction_trading_results SET signal_id = NULL WHERE ctid = (SELECT ctid FROM prediction_trading_results LIMIT 1)');
    expect(await findSubjects(database, 'signal', 'unattributed')).to.deep.equal([{ kind: 'signal', id: null, asset: link.asset }]);
  });
});
