import type { MergedRecord, Emitter, Processor, StateChange } from '../runtime/processor.js';
import { naturalKey } from '../domain/uuid.js';
import { Market, type LinkerOptions } from './market.js';
import { POSITION_TOPIC } from './input-topic.js';

export const LINKER_DEFAULTS: LinkerOptions = { policy: 'pro-rata', joinWindowMs: 5_000, horizonMs: 86_400_000, horizonEvents: 5_000 };

/** What a linker counted since it was made; not part of any result. */
export interface LinkerCounters {
  /** Records of categories that are no linear or inverse contract. */
  skippedCategories: number;
  /** Position records without a seq. */
  skippedWithoutSeq: number;
}

/** The linker of one partition: order events and position updates in; links, cycles, deltas and discrepancies out. */
export function createPositionLinker(options: Partial<LinkerOptions> = {}): PositionLinker {
  return new PositionLinker({ ...LINKER_DEFAULTS, ...options });
}

export class PositionLinker implements Processor {
  readonly options: LinkerOptions;
  readonly markets = new Map<string, Market>();
  readonly counters: LinkerCounters = { skippedCategories: 0, skippedWithoutSeq: 0 };
  #watermarkMs = -1;

  constructor(options: LinkerOptions) {
    this.options = options;
  }

  process(record: MergedRecord, emitter: Emitter): void {
    if (record.type === 'Watermark') return;
    const { category } = record.value as { category: string };
    if (category !== 'linear' && category !== 'inverse') {
      this.counters.skippedCategories += 1;
      return;
    }
    this.#apply(this.#market(record.value as { account: string; category: string; asset: string }), record, emitter);
  }

  #apply(market: Market, record: MergedRecord, emitter: Emitter): void {
    const at = record.effectiveMs;
    const watermarkMs = this.#watermarkMs;
    switch (record.type) {
      case 'Order':
        market.onOrder(record.value, at, watermarkMs, emitter);
        return;
      case 'Fill':
        market.onFill(record.value, at, watermarkMs, emitter);
        return;
      case 'CashEvent':
        market.onCash(record.value, at, watermarkMs, emitter);
        return;
      case 'ExecutionAnomaly':
        market.onAnomaly(record.value, at, emitter);
        return;
      case 'PositionUpdate':
        if (record.value.seq === null) this.counters.skippedWithoutSeq += 1;
        market.onUpdate(record.value, [{ topic: POSITION_TOPIC, partition: record.partition, offset: record.offset }], at, watermarkMs, emitter);
        return;
      default:
        emitter.deadLetter('unexpected_record', `position-linker does not read ${record.type}`);
    }
  }

  #market(of: { account: string; category: string; asset: string }): Market {
    const key = naturalKey(of.account, of.category, of.asset);
    let market = this.markets.get(key);
    if (market === undefined) {
      market = new Market(of.account, of.category, of.asset, this.options);
      this.markets.set(key, market);
    }
    return market;
  }

  advance(watermarkMs: number, emitter: Emitter): number {
    this.#watermarkMs = watermarkMs;
    for (const key of [...this.markets.keys()].sort()) this.markets.get(key)!.advance(watermarkMs, emitter);
    return watermarkMs;
  }

  takeChanges(): StateChange[] {
    return [];
  }

  restore(): void {}

  finishRestore(): void {}
}
