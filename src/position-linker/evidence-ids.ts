import { HashPairs } from '../domain/hash-pairs.js';
import type { CashItem, FillItem } from './evidence-item.js';
import type { EvidenceList } from './evidence-list.js';

/**
 * Fills and cash events of a market by their ids. Kept are only the hashes of these, each as often as it is there: nearly every
 * id that comes is a new one, and for the others the books are searched.
 */
export class EvidenceIds {
  readonly #hashes = new HashPairs();
  readonly #lists: EvidenceList[] = [];

  /** One more book to look into. */
  addList(list: EvidenceList): void {
    this.#lists.push(list);
  }

  /** The fill of an id that no derivation is about to leave behind; it may be a copy of one in an archive. */
  fill(id: string, idHash: number): FillItem | undefined {
    return this.#find('fill', id, idHash) as FillItem | undefined;
  }

  cash(id: string, idHash: number): CashItem | undefined {
    return this.#find('cash', id, idHash) as CashItem | undefined;
  }

  #find(kind: 'fill' | 'cash', id: string, idHash: number): FillItem | CashItem | undefined {
    if (!this.#hashes.has(idHash)) return undefined;
    for (const list of this.#lists) {
      const found = list.find(kind, id, idHash);
      if (found !== null) return found;
    }
    return undefined;
  }

  /** An item came into a book. */
  add(idHash: number): void {
    this.#hashes.add(idHash, 0);
  }

  /** An item left its book. */
  remove(idHash: number): void {
    this.#hashes.remove(idHash, 0);
  }
}
