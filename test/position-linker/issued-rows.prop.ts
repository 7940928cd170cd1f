import { expect } from 'chai';
import { Book, type Settlement } from '../../src/position-linker/book.js';
import { canonicalJson } from '../../src/domain/canonical-json.js';
import type { DerivedRows } from '../../src/position-linker/derived-rows.js';
import { scenario } from '../simulator/scenarios.js';
import { simulate } from '../simulator/simulate.js';
import { linkCapture } from './core-pipeline.js';
import { deliveredAnew } from './delivered-anew.js';

const TABLES = ['links', 'cycles', 'deltas'] as const;
const settle = Book.prototype.settle;

/** Rows by table and id; what only their issue adds (revision, time known) aside. */
type RowTexts = Map<string, string>;

function textOf(row: object): string {
  const { revision, reason, known_at, retracted, id, ...content } = row as Record<string, unknown>;
  return canonicalJson(content);
}

function textsOf(rows: DerivedRows): RowTexts {
  const texts: RowTexts = new Map();
  for (const table of TABLES) for (let i = 0; i < rows[table].size; i++) texts.set(`${table} ${rows[table].idAt(i)}`, textOf(rows[table].at(i)));
  return texts;
}

/** Watches every book: keeps what each settlement issued, and compares it with what a correction would begin from. */
class Watch {
  readonly found: string[] = [];
  settlements = 0;
  corrections = 0;
  readonly #issued = new Map<Book, RowTexts>();

  take(book: Book, settlements: readonly Settlement[]): void {
    let issued = this.#issued.get(book);
    if (issued === undefined) this.#issued.set(book, (issued = new Map()));
    for (const settlement of settlements) {
      this.settlements += 1;
      const before = textsOf(settlement.before);
      const after = textsOf(settlement.after);
      if (before.size > 0) this.corrections += 1;
      for (const [key, text] of before) {
        // Where a correction ends midway, a cycle that goes on is shown as it was there, before and after.
        if (after.get(key) === text) continue;
        if (issued.get(key) !== text && !key.startsWith('cycles ')) this.found.push(`${book.ledger.bookName}: takes back ${key} as ${text}, it was issued as ${issued.get(key) ?? 'nothing'}`);
        issued.delete(key);
      }
      for (const [key, text] of after) if (before.get(key) !== text) issued.set(key, text);
    }
    if (settlements.length === 0) return;
    for (const [key, text] of textsOf(book.issuedRows())) {
      if (issued.get(key) !== text) this.found.push(`${book.ledger.bookName}: ${key} derives as ${text}, it was issued as ${issued.get(key) ?? 'nothing'}`);
    }
  }
}

/** Sessions of all troubles at once, delivered up to a minute late: nearly every row is corrected at some time. */
const SESSIONS: readonly (readonly [seed: number, orders: number])[] = [[33_014, 30], ...Array.from({ length: 14 }, (_, i) => [700 + i, 16] as const)];

describe('what was issued is what the issued evidence says, after every settlement', () => {
  let watch: Watch;

  beforeEach(() => {
    watch = new Watch();
    Book.prototype.settle = function settleWatched(this: Book, watermarkMs: number): Settlement[] {
      const settlements = settle.call(this, watermarkMs);
      watch.take(this, settlements);
      return settlements;
    };
  });

  afterEach(() => {
    Book.prototype.settle = settle;
  });

  for (const [seed, orders] of SESSIONS) {
    const policy = seed % 2 === 0 ? 'fifo' : 'pro-rata';
    it(`everything, seed ${seed}, ${policy}, delivered anew`, () => {
      linkCapture(deliveredAnew(simulate(scenario('everything', seed, { orders })).lines, seed), { policy });
      expect(watch.found.slice(0, 3)).to.deep.equal([]);
      expect(watch.settlements).to.be.greaterThan(10);
      expect(watch.corrections).to.be.greaterThan(0);
    });
  }
});
