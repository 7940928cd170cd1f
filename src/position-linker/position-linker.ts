import { StateReader, StateWriter } from '../domain/state-bytes.js';
import { naturalKey } from '../domain/uuid.js';
import type { Emitter, MergedRecord, Processor, StateChange } from '../runtime/processor.js';
import { type Conservation, addConservation } from './conservation.js';
import { type LinkerOptions, Market } from './market.js';
import { MIN_SNAPSHOT_BYTES, STATE_VERSION, StoredMarket, checkStateVersion } from './market-store.js';

export const LINKER_DEFAULTS: LinkerOptions = { policy: 'pro-rata', joinWindowMs: 5_000, horizonMs: 86_400_000, horizonEvents: 5_000 };

const WATERMARK_KEY = 'watermark';

/** What a linker counted since it was made; not part of any result. */
export interface LinkerCounters {
  /** Records of categories that are no linear or inverse contract. */
  skippedCategories: number;
  /** Position records without a seq. */
  skippedWithoutSeq: number;
}

interface RestoredEntries {
  readonly parts: Uint8Array[];
  readonly segments: Uint8Array[];
}

/**
 * The linker of one partition: order events and position updates in; links, cycles, deltas and discrepancies out.
 * Without `keepsChanges` takeChanges has nothing to tell: for runs whose state nobody stores. `minSnapshotBytes`: how much
 * input of a market is worth a snapshot of it; no result depends on it.
 */
export function createPositionLinker(options: Partial<LinkerOptions> = {}, keepsChanges = true, minSnapshotBytes = MIN_SNAPSHOT_BYTES): PositionLinker {
  return new PositionLinker({ ...LINKER_DEFAULTS, ...options }, keepsChanges, minSnapshotBytes);
}

export class PositionLinker implements Processor {
  readonly options: LinkerOptions;
  readonly counters: LinkerCounters = { skippedCategories: 0, skippedWithoutSeq: 0 };
  readonly #markets = new Map<string, StoredMarket>();
  readonly #byAsset = new Map<string, StoredMarket[]>();
  readonly #changed = new Set<StoredMarket>();
  readonly #restored = new Map<string, RestoredEntries>();
  readonly #writer = new StateWriter();
  /** Markets in the order of their keys; null when one was added since. */
  #inOrder: StoredMarket[] | null = null;
  #watermarkMs = -1;
  #storedWatermarkMs = -1;

  readonly #keepsChanges: boolean;
  readonly #minSnapshotBytes: number;

  constructor(options: LinkerOptions, keepsChanges: boolean, minSnapshotBytes: number) {
    this.options = options;
    this.#keepsChanges = keepsChanges;
    this.#minSnapshotBytes = minSnapshotBytes;
  }

  get markets(): IterableIterator<Market> {
    return [...this.#markets.values()].map((stored) => stored.market).values();
  }

  /** How well results add up, over all books. */
  get conservation(): Conservation {
    return addConservation([...this.#markets.values()].flatMap(({ market }) => [...market.books.values()].map(({ book }) => book.conservation)));
  }

  process(record: MergedRecord, emitter: Emitter): void {
    if (record.type === 'Watermark') return;
    const { account, category, asset } = record.value as { account: string; category: string; asset: string };
    if (category !== 'linear' && category !== 'inverse') {
      this.counters.skippedCategories += 1;
      return;
    }
    if (record.type === 'PositionUpdate' && record.value.seq === null) {
      this.counters.skippedWithoutSeq += 1;
      return;
    }
    if (record.type === 'Order' && record.value.message_seq === null) return;
    const stored = this.#market(account, category, asset);
    const changed = stored.process(record, this.#watermarkMs, emitter);
    if (changed === true) this.#noteChange(stored);
    else if (changed === null) emitter.deadLetter('unexpected_record', `position-linker does not read ${record.type}`);
  }

  #noteChange(stored: StoredMarket): void {
    if (this.#keepsChanges) this.#changed.add(stored);
  }

  #market(account: string, category: string, asset: string): StoredMarket {
    const sameAsset = this.#byAsset.get(asset);
    if (sameAsset !== undefined) {
      for (const stored of sameAsset) if (stored.market.account === account && stored.market.category === category) return stored;
    }
    return this.#add(new StoredMarket(naturalKey('market', account, category, asset), new Market(account, category, asset, this.options), this.#keepsChanges, this.#minSnapshotBytes));
  }

  #add(stored: StoredMarket): StoredMarket {
    this.#markets.set(stored.key, stored);
    const { asset } = stored.market;
    const sameAsset = this.#byAsset.get(asset);
    if (sameAsset === undefined) this.#byAsset.set(asset, [stored]);
    else sameAsset.push(stored);
    this.#inOrder = null;
    return stored;
  }

  advance(watermarkMs: number, emitter: Emitter): number {
    this.#watermarkMs = watermarkMs;
    this.#inOrder ??= [...this.#markets.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    for (const stored of this.#inOrder) if (stored.advance(watermarkMs, emitter)) this.#noteChange(stored);
    return watermarkMs;
  }

  takeChanges(): StateChange[] {
    const changes: StateChange[] = [];
    for (const stored of this.#changed) stored.takeChanges(this.#writer, changes);
    this.#changed.clear();
    if (this.#keepsChanges && this.#storedWatermarkMs !== this.#watermarkMs) {
      this.#writer.start(STATE_VERSION);
      this.#writer.count(this.#watermarkMs);
      changes.push({ key: WATERMARK_KEY, value: this.#writer.finish() });
      this.#storedWatermarkMs = this.#watermarkMs;
    }
    return changes;
  }

  restore(key: string, value: Uint8Array): void {
    if (key === WATERMARK_KEY) {
      const reader = new StateReader(value);
      checkStateVersion(reader);
      this.#watermarkMs = reader.count();
      this.#storedWatermarkMs = this.#watermarkMs;
      return;
    }
    const bar = key.lastIndexOf('|');
    const marketKey = key.slice(0, bar);
    let entries = this.#restored.get(marketKey);
    if (entries === undefined) {
      entries = { parts: [], segments: [] };
      this.#restored.set(marketKey, entries);
    }
    (key.startsWith('snapshot', bar + 1) ? entries.parts : entries.segments).push(value);
  }

  finishRestore(): void {
    for (const [key, { parts, segments }] of this.#restored) {
      this.#add(StoredMarket.restore(key, parts, segments, this.options, this.#minSnapshotBytes));
    }
    this.#restored.clear();
  }
}
