import { expect } from 'chai';
import fc from 'fast-check';
import { newMarket, type Market } from '../../src/order-manager/market.js';
import { OrderArchive } from '../../src/order-manager/order-archive.js';
import { Random } from '../simulator/random.js';

interface Kept {
  readonly market: Market;
  readonly orderId: string;
  readonly execIds: readonly string[];
  readonly state: string;
  readonly expiryMs: number;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const step = fc.record({
  does: fc.constantFrom('add', 'add', 'add', 'add', 'take', 'take by execution', 'pass'),
  n: fc.nat(40),
  bytes: fc.oneof({ weight: 8, arbitrary: fc.nat(900) }, { weight: 1, arbitrary: fc.nat(200_000) }),
});

/** An archive beside a plain map that does the same. */
class Twin {
  readonly archive = new OrderArchive();
  readonly markets = ['BTCUSDT', 'ETHUSDT'].map((asset) => newMarket('of a', 'linear', asset));
  readonly plain = new Map<string, Kept>();
  nowMs = 0;
  taken = 0;
  #made = 0;

  keyOf({ market, orderId }: Pick<Kept, 'market' | 'orderId'>): string {
    return `${market.asset} ${orderId}`;
  }

  add(n: number, bytes: number): void {
    const market = this.markets[n % 2]!;
    const orderId = `ord_ü ${this.#made++}`;
    const kept: Kept = {
      market, orderId, execIds: Array.from({ length: n % 4 }, (_, i) => `${orderId}/${i}`), state: `${orderId} ${'.'.repeat(bytes)}`, expiryMs: n === 40 ? Infinity : this.nowMs + (n % 7) * 10,
    };
    this.archive.add(market, orderId, kept.execIds, bytesOf(kept.state), kept.expiryMs);
    this.plain.set(this.keyOf(kept), kept);
  }

  take(n: number, byExecution: boolean): void {
    const kept = [...this.plain.values()][n % Math.max(1, this.plain.size)];
    if (kept === undefined || (byExecution && kept.execIds.length === 0)) return;
    const { market, orderId, execIds } = kept;
    const entry = byExecution ? this.archive.findByExecution(market, execIds[0]!, (found) => found.orderId === orderId) : this.archive.find(market, orderId);
    this.#expectTaken(this.archive.take(entry), kept);
  }

  pass(n: number): void {
    this.nowMs += n;
    for (let old = this.archive.takeExpired(this.nowMs); old !== null; old = this.archive.takeExpired(this.nowMs)) {
      const kept = this.plain.get(this.keyOf(old))!;
      expect(kept.expiryMs).to.be.at.most(this.nowMs);
      this.#expectTaken(old, kept);
    }
    for (const { expiryMs } of this.plain.values()) expect(expiryMs).to.be.greaterThan(this.nowMs);
  }

  #expectTaken(found: { readonly market: Market; readonly orderId: string; readonly state: Uint8Array }, kept: Kept): void {
    expect([found.market, found.orderId, new TextDecoder().decode(found.state)]).to.deep.equal([kept.market, kept.orderId, kept.state]);
    this.plain.delete(this.keyOf(kept));
    this.taken += 1;
  }
}

describe('the archive of orders', () => {
  it('gives every order back as it was, by its id, by an execution, or when it may be forgotten', () => {
    let taken = 0;
    fc.assert(fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
      const twin = new Twin();
      for (const { does, n, bytes } of steps) {
        if (does === 'add') twin.add(n, bytes);
        else if (does === 'pass') twin.pass(n);
        else twin.take(n, does === 'take by execution');
      }
      for (const market of twin.markets) {
        expect(market.archived).to.equal([...twin.plain.values()].filter((kept) => kept.market === market).length);
        expect(twin.archive.find(market, 'of nobody')).to.equal(-1);
        expect(twin.archive.findByExecution(market, 'of nobody', () => true)).to.equal(-1);
      }
      for (const { market, orderId } of twin.plain.values()) {
        expect(twin.archive.find(market, orderId)).to.be.at.least(0);
        expect(twin.archive.find(twin.markets.find((other) => other !== market)!, orderId)).to.equal(-1);
      }
      while (twin.plain.size > 0) twin.take(0, false);
      taken += twin.taken;
    }), { numRuns: 60 });
    expect(taken).to.be.greaterThan(1_000);
  });

  it('tells orders and executions apart whose hashes are one', () => {
    const market = newMarket('a', 'linear', 'BTCUSDT');
    const archive = new OrderArchive();
    const random = new Random(1, 2);
    // Of so many one pair or two share one.
    const ids = Array.from({ length: 120_000 }, () => `${random.int(0, 2 ** 30)}-${random.int(0, 2 ** 30)}`);
    for (const id of ids) archive.add(market, id, [`x ${id}`], bytesOf(id), Infinity);
    const textOf = (state: Uint8Array): string => new TextDecoder().decode(state);
    for (let n = 0; n < 100_000; n++) if (archive.find(market, `${random.int(0, 2 ** 30)}+${n}`) >= 0) throw new Error('found what is not there');
    for (const id of ids.reverse()) {
      const entry = archive.find(market, id);
      if (archive.findByExecution(market, `x ${id}`, ({ state }) => textOf(state) === id) !== entry) throw new Error(`the execution of ${id} is another's`);
      if (textOf(archive.take(entry).state) !== id) throw new Error(`${id} is another's`);
    }
    expect(market.archived).to.equal(0);
  }).timeout(20_000);

  it('needs no more memory for a hundred thousand orders than for those that are there at a time', () => {
    const market = newMarket('a', 'linear', 'BTCUSDT');
    const archive = new OrderArchive();
    const state = new Uint8Array(600);
    const before = process.memoryUsage().arrayBuffers;
    for (let n = 0; n < 100_000; n++) {
      archive.add(market, `order ${n}`, [`execution ${n}`], state, n + 1_000);
      while (archive.takeExpired(n) !== null) { /* gone */ }
    }
    expect(market.archived).to.equal(1_000);
    expect((process.memoryUsage().arrayBuffers - before) / 2 ** 20).to.be.below(20);
  });
});
