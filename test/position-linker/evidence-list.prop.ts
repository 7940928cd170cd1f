import { expect } from 'chai';
import fc from 'fast-check';
import { EvidenceIds } from '../../src/position-linker/evidence-ids.js';
import { type FillItem, type Item, type UpdateItem, compareItems, eventTime, hashOfId } from '../../src/position-linker/evidence-item.js';
import { EvidenceList } from '../../src/position-linker/evidence-list.js';

function fill(seq: number, id: string, source: 'execution' | 'order'): FillItem {
  return {
    kind: 'fill', positionIdx: 0, seq, effectiveMs: 1_000 + seq, inputs: [{ topic: 'ws-gateway.execution', partition: 0, offset: seq }], settled: false, dying: false,
    fillId: id, idHash: hashOfId('fill', id), source, execId: source === 'order' ? null : id, orderId: `order of ${id}`, direction: seq % 2 === 0 ? 1 : -1,
    quantity: BigInt(seq + 1) * 10n ** 18n, value: 10n ** 24n + BigInt(seq), price: 10n ** 22n, fee: -5n, closedSize: null, execPnl: 0n, leavesQuantity: BigInt(seq),
    fromQuantity: null, toQuantity: null, seqAfter: null, executedAfter: null, executedAt: 2_000 + seq, signalId: seq % 3 === 0 ? null : 'sig_ü', exitReason: 'user',
    firstSeen: false, dated: false, taken: false,
  };
}

function update(seq: number): UpdateItem {
  return {
    kind: 'update', positionIdx: 0, seq, effectiveMs: 1_000 + seq, partition: 0, offset: seq, settled: false, dying: false, size: BigInt(-seq), entryPrice: 2n ** 70n,
    entryPriceDecimals: 2, positionValue: null, cumRealisedPnl: 7n, updatedAt: 3_000 + seq, pushedAt: 4_000 + seq,
  };
}

/** All items of a list in their order, those of the archive read again. */
function contentOf(list: EvidenceList): Item[] {
  return list.readAfter(Number.NEGATIVE_INFINITY, list.length);
}

function knownIn(ids: EvidenceIds, id: string): FillItem | undefined {
  return ids.fill(id, hashOfId('fill', id));
}

function nameOf(item: Item): string {
  return `${item.kind === 'fill' ? item.fillId : item.kind} at ${item.seq}${item.settled ? ', settled' : ''}`;
}

type Step =
  | { readonly does: 'fill' | 'order fill' | 'update'; readonly seq: number }
  | { readonly does: 'settle' | 'bring back' | 'cut' | 'remove'; readonly seq: number };

const step: fc.Arbitrary<Step> = fc.record({ does: fc.constantFrom('fill', 'fill', 'order fill', 'update', 'update', 'settle', 'settle', 'bring back', 'cut', 'remove'), seq: fc.nat(40) }) as fc.Arbitrary<Step>;

/** A list beside the plainest thing that does the same: one array, sorted again after every change. */
class Twin {
  readonly ids = new EvidenceIds();
  readonly list = new EvidenceList(0, this.ids);
  plain: Item[] = [];
  /** How many of the first are settled. */
  settled = 0;
  top = 0;
  #made = 0;

  take({ does, seq: chosen }: Step): void {
    // Mostly what comes is new, as evidence is.
    const seq = chosen < 32 && ['fill', 'order fill', 'update'].includes(does) ? this.top + (chosen % 3) : chosen % (this.top + 1);
    this.top = Math.max(this.top, seq);
    if (does === 'fill' || does === 'order fill') this.#add(fill(seq, `fill ${this.#made++}`, does === 'fill' ? 'execution' : 'order'));
    else if (does === 'update') {
      if (this.list.updateAt(seq) === null) this.#add(update(seq));
    } else if (does === 'settle') this.#settle();
    else if (does === 'bring back') this.list.bringBackAfter(seq);
    else if (does === 'cut') this.#cut(seq % 7);
    else this.#remove(seq);
  }

  #add(item: Item): void {
    this.list.insert(item);
    this.plain.push(item);
    this.plain.sort(compareItems);
    if (this.plain.indexOf(item) < this.settled) this.settled += 1;
  }

  #settle(): void {
    this.list.settle(0, this.list.items.length);
    this.list.tipIndex = this.list.items.length;
    this.list.archiveSettled();
    for (const item of this.plain) item.settled = true;
    this.settled = this.plain.length;
  }

  #cut(count: number): void {
    const most = Math.min(count, this.list.issuedLength);
    this.list.cut(most);
    this.plain.splice(0, most);
    this.settled -= most;
  }

  #remove(n: number): void {
    const chosen = this.plain[n % Math.max(1, this.plain.length)];
    if (chosen === undefined || chosen.kind !== 'fill') return;
    const known = knownIn(this.ids, chosen.fillId)!;
    const item = this.list.atHand(known);
    expect(this.list.items).to.include(item);
    if (item.settled) {
      item.dying = true;
      expect(knownIn(this.ids, chosen.fillId)).to.equal(undefined);
      this.list.dropDying();
    } else this.list.take(item);
    const at = this.plain.indexOf(chosen);
    this.plain.splice(at, 1);
    if (at < this.settled) this.settled -= 1;
  }
}

describe('the evidence of a book', () => {
  it('is the same whether it lies in the archive or at hand', () => {
    let archived = 0;
    fc.assert(fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const twin = new Twin();
      for (const one of steps) {
        twin.take(one);
        archived += twin.list.archive.length;
        expect(contentOf(twin.list).map(nameOf)).to.deep.equal(twin.plain.map(nameOf));
        expect([twin.list.length, twin.list.issuedLength]).to.deep.equal([twin.plain.length, twin.settled]);
      }
      const { list, plain, ids } = twin;
      expect(contentOf(list)).to.deep.equal(plain);
      for (const item of plain) if (item.kind === 'fill') expect(knownIn(ids, item.fillId)).to.deep.equal(item);
      expect(knownIn(ids, 'of nobody')).to.equal(undefined);
      for (let seq = 0; seq <= twin.top + 1; seq++) expect(list.updateAt(seq)).to.deep.equal(plain.find((item) => item.kind === 'update' && item.seq === seq) ?? null);
      plain.forEach((item, n) => expect([list.seqAt(n), list.eventTimeAt(n)]).to.deep.equal([item.seq, eventTime(item)]));
      expect(list.lastUpdateAmong(twin.settled)).to.equal(plain.slice(0, twin.settled).findLastIndex((item) => item.kind === 'update' && item.settled));
      expect(list.issuedOrderFills()).to.deep.equal(plain.filter((item) => item.kind === 'fill' && item.source === 'order' && item.settled));
      for (const newest of [0, 3, 1_000]) {
        const byTime = plain.findIndex((item, n) => n >= Math.max(0, plain.length - newest) && !(eventTime(item) <= 2_020));
        expect(list.countBeyond(2_020, newest)).to.equal(Math.min(byTime < 0 ? plain.length : byTime, twin.settled));
      }
    }), { numRuns: 150 });
    expect(archived).to.be.greaterThan(1_000);
  });

  it('fills many chunks, and gives back what is forgotten or brought back', () => {
    const list = new EvidenceList(0, new EvidenceIds());
    for (let seq = 0; seq < 2_000; seq++) {
      list.insert(fill(seq, `${'long '.repeat(seq % 50)}${seq}`, 'execution'));
      list.insert(update(seq));
      list.settle(0, 2);
      list.tipIndex = 2;
      list.archiveSettled();
    }
    expect([list.archive.length, list.items.length]).to.deep.equal([4_000, 0]);
    const before = contentOf(list);
    list.cut(1_001);
    expect(contentOf(list)).to.deep.equal(before.slice(1_001));
    list.bringBackAfter(1_500);
    expect([list.archive.length, list.items.length, list.tipIndex]).to.deep.equal([4_000 - 1_001 - 998, 998, 998]);
    expect(contentOf(list)).to.deep.equal(before.slice(1_001));
    list.cut(list.archive.length);
    expect([list.archive.length, contentOf(list).length]).to.deep.equal([0, 998]);
  });

  it('is found by its id where ids have one hash', () => {
    const seen = new Map<number, string>();
    let pair: readonly [string, string] | null = null;
    for (let n = 0; pair === null; n++) {
      const hash = hashOfId('fill', `id ${n}`);
      const other = seen.get(hash);
      if (other !== undefined) pair = [other, `id ${n}`];
      seen.set(hash, `id ${n}`);
    }
    const ids = new EvidenceIds();
    const list = new EvidenceList(0, ids);
    const [first, second] = pair;
    list.insert(fill(1, first, 'execution'));
    expect(knownIn(ids, second)).to.equal(undefined);
    list.insert(fill(2, second, 'execution'));
    list.insert(update(3));
    list.settle(0, 3);
    list.tipIndex = 3;
    list.archiveSettled();
    expect([knownIn(ids, first)?.seq, knownIn(ids, second)?.seq]).to.deep.equal([1, 2]);
    list.cut(1);
    expect([knownIn(ids, first), knownIn(ids, second)?.seq]).to.deep.equal([undefined, 2]);
  });
});
