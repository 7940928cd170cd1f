import { expect } from 'chai';
import { createOrderManager } from '../../src/order-manager/order-manager.js';
import type { SourceRow } from './frames.js';
import { covering, executionRow, T0, total, units } from './rows.js';
import { Session } from './session.js';

const HORIZON = { horizonMs: 60_000, openOrderMs: 600_000 };

describe('how long an order is kept', () => {
  it('from its end on for the horizon, then nothing of it is left', () => {
    const session = new Session(HORIZON);
    session.put(total(0));
    session.put(covering(0, 10));
    session.put(total(10));
    session.advance(T0 + 60_099);
    session.commit();
    expect([...session.changelog.keys()].sort()).to.deep.equal(['clock', 'o|a|linear|BTCUSDT|o1']);
    session.advance(T0 + 60_100);
    session.commit();
    expect([...session.changelog.keys()]).to.deep.equal(['clock']);
  });

  it('one that was open for a while leaves nothing behind in memory, either', () => {
    const session = new Session(HORIZON);
    session.put(total(0));
    session.put(covering(0, 10));
    session.put(total(10));
    session.advance(T0 + 60_100);
    expect(session.waitingToBeForgotten).to.equal(0);
  });

  it('one that never ends is kept longer, after its last record', () => {
    const session = new Session(HORIZON);
    session.put(total(4));
    session.put(covering(0, 4));
    session.advance(T0 + 600_039);
    session.commit();
    expect(session.changelog.size).to.equal(2);
    session.advance(T0 + 600_040);
    session.commit();
    expect(session.changelog.size).to.equal(1);
  });

  it('so is one known by executions that leave a remainder; without a known quantity it counts as ended', () => {
    const session = new Session(HORIZON);
    session.put(covering(0, 4));
    session.put({ type: 'Execution', value: executionRow({ exec_id: 'x', order_id: 'adl' }) });
    session.put({ type: 'Execution', value: executionRow({ exec_id: 'f', exec_type: 'Funding' }) });
    session.advance(T0 + 60_040);
    session.commit();
    expect([...session.changelog.keys()].sort()).to.deep.equal(['clock', 'o|a|linear|BTCUSDT|o1']);
  });

  it('a late execution within the horizon still finds its order; a copy of the last message after it is a first-seen fill', () => {
    const session = new Session(HORIZON);
    for (const row of [total(0), total(10)]) session.put(row);
    session.advance(T0 + 50_000);
    session.put(covering(0, 10));
    expect(session.liveFills().map((fill) => fill.fill_id)).to.deep.equal(['e10']);
    session.advance(T0 + 400_000);
    session.put(total(10));
    session.close();
    const late = session.of('Fill').at(-1)!;
    expect([late.fill_id, late.first_seen, late.revision, late.seq]).to.deep.equal(['o1|10', true, 0, 200]);
  });

  it('forever without a horizon', () => {
    const session = new Session({ horizonMs: Infinity });
    session.put(total(10));
    session.put(covering(0, 10));
    session.advance(T0 + 1e12);
    session.commit();
    expect(session.changelog.size).to.equal(2);
  });
});

describe('state in the changelog', () => {
  it('only what changed since the last commit is written', () => {
    const session = new Session();
    session.put(total(0));
    session.put(total(0, { order_id: 'o2' }));
    session.commit();
    const before = new Map(session.changelog);
    session.put(covering(0, 4));
    session.commit();
    const changed = [...session.changelog].filter(([key, value]) => before.get(key) !== value).map(([key]) => key);
    expect(changed).to.deep.equal(['o|a|linear|BTCUSDT|o1']);
  });

  /** An order of n fills, each with its message and its execution; the executions of a few get lost, some come late. */
  function longOrder(n: number): SourceRow[] {
    const wanted = { quantity: units(n) };
    const rows: SourceRow[] = [total(0, wanted)];
    const late: SourceRow[] = [];
    for (let i = 1; i <= n; i++) {
      rows.push(total(i, { ...wanted, order_status: i === n ? 'Filled' : 'PartiallyFilled' }));
      const row = covering(i - 1, i, { order_quantity: units(n), leaves_quantity: units(n - i) });
      if (i % 50 === 7) late.push(row);
      else if (i % 50 !== 9) rows.push(row);
    }
    return [...rows, ...late];
  }

  it('an order of very many fills is written in segments, of which a commit writes what changed', () => {
    const session = new Session();
    for (const row of longOrder(200)) session.put(row);
    session.commit();
    const keys = [...session.changelog.keys()].filter((key) => key !== 'clock').sort();
    expect(keys).to.deep.equal(['', '|1', '|2', '|3'].map((end) => `o|a|linear|BTCUSDT|o1${end}`));
    const before = new Map(session.changelog);
    session.put(total(200, { quantity: units(200), order_status: 'Filled', cancel_type: 'CancelByUser', updated_at: T0 + 9_000, seq: 9_000 }));
    session.commit();
    expect(keys.filter((key) => before.get(key) !== session.changelog.get(key))).to.deep.equal([keys[0], keys[3]]);
    session.advance(T0 + 1e12);
    session.commit();
    expect([...session.changelog.keys()]).to.deep.equal(['clock']);
  });

  it('an order of very many fills survives restarts at any place', () => {
    const rows = longOrder(150);
    const play = (every: number): Session => {
      const session = new Session();
      rows.forEach((row, index) => {
        if (index % every === every - 1) session.restart(index % 2 === 0);
        session.put(row);
        if (index % 60 === 0) session.advance(T0 + index * 10);
      });
      session.close();
      return session;
    };
    const straight = play(Infinity);
    expect(straight.liveFills().reduce((sum, fill) => sum + fill.quantity, 0n)).to.equal(units(150));
    for (const every of [1, 7, 64]) expect(play(every).transcript()).to.deep.equal(straight.transcript());
  });

  it('a missing segment is refused', () => {
    const session = new Session();
    for (const row of longOrder(100)) session.put(row);
    session.commit();
    const processor = createOrderManager();
    for (const [key, value] of session.changelog) if (!key.endsWith('|1')) processor.restore(key, value);
    expect(() => processor.finishRestore()).to.throw('lacks segment 1');
  });

  it('names of any kind survive', () => {
    const name = { account: 'a|b%7C', order_id: 'o|%', order_link_id: 'Übung_1' };
    const session = new Session();
    session.put(total(0, name));
    session.restart();
    session.put(covering(0, 10, name));
    const row = session.orders().get('o|%')!;
    expect([row.account, row.signal_id, row.filled_quantity, row.revision]).to.deep.equal(['a|b%7C', 'Übung', units(10), 1]);
  });

  it('bytes of another version are refused', () => {
    expect(() => createOrderManager().restore('o|a|linear|X|1', Uint8Array.of(99))).to.throw('version 99');
  });

  it('an entry cut short is refused', () => {
    const session = new Session();
    session.put(total(10));
    session.commit();
    const [key, value] = [...session.changelog].find(([name]) => name !== 'clock')!;
    expect(() => createOrderManager().restore(key, value.subarray(0, value.length - 3))).to.throw(RangeError);
  });
});
