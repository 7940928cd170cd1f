import { type EvidenceArchive, hashOfFlow, hashOfName } from './evidence-archive.js';
import type { CashItem, FillItem } from './evidence-item.js';

/** Fills and cash events of a market by their ids: those at hand themselves, archived ones by a hash, which costs no text each. */
export class EvidenceNames {
  readonly #fills = new Map<string, FillItem>();
  readonly #cash = new Map<string, CashItem>();
  /** How many archived ones have a hash. */
  readonly #archived = new Map<number, number>();
  readonly #archives: EvidenceArchive[] = [];

  /** One more book's archive to look into. */
  addArchive(archive: EvidenceArchive): void {
    this.#archives.push(archive);
  }

  /** The fill of an id; one from an archive is a copy of what is there. */
  fill(id: string): FillItem | undefined {
    return this.#fills.get(id) ?? (this.#fromArchive('fill', id) as FillItem | undefined);
  }

  cash(id: string): CashItem | undefined {
    return this.#cash.get(id) ?? (this.#fromArchive('cash', id) as CashItem | undefined);
  }

  #fromArchive(kind: 'fill' | 'cash', id: string): FillItem | CashItem | undefined {
    if (this.#archived.size === 0 || !this.#archived.has(hashOfName(kind, id))) return undefined;
    for (const archive of this.#archives) {
      const found = archive.find(kind, id);
      if (found !== null) return found;
    }
    return undefined;
  }

  /** Stands for its id from now on. */
  set(item: FillItem | CashItem): void {
    if (item.kind === 'fill') this.#fills.set(item.fillId, item);
    else this.#cash.set(item.cashId, item);
  }

  /** Nothing at hand stands for the id of this item any more. */
  delete(item: FillItem | CashItem): void {
    if (item.kind === 'fill') this.#fills.delete(item.fillId);
    else this.#cash.delete(item.cashId);
  }

  /** An item went into an archive; with the hash of its name. */
  putAway(item: FillItem | CashItem, hash: number): void {
    this.delete(item);
    this.#archived.set(hash, (this.#archived.get(hash) ?? 0) + 1);
  }

  /** An item came back from an archive. */
  bringBack(item: FillItem | CashItem): void {
    this.forget(hashOfFlow(item));
    this.set(item);
  }

  /** An archived item of this hash is gone. */
  forget(hash: number): void {
    const count = this.#archived.get(hash)!;
    if (count > 1) this.#archived.set(hash, count - 1);
    else this.#archived.delete(hash);
  }
}
