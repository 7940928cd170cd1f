import { parseDecimal } from '../../src/domain/decimal.js';
import type { PositionUpdate, RecordName, RecordTypes } from '../../src/domain/records.js';
import type { Emitter, MergedRecord } from '../../src/runtime/processor.js';

export const T0 = 1_767_225_600_000;

export function update(changes: Partial<PositionUpdate> = {}): PositionUpdate {
  return {
    account: 'main',
    category: 'linear',
    asset: 'SOLUSDT',
    position_idx: 0,
    side: 'Buy',
    size: parseDecimal('2'),
    entry_price: parseDecimal('150.25'),
    entry_price_decimals: 2,
    position_value: parseDecimal('300.5'),
    mark_price: parseDecimal('150.3'),
    unrealised_pnl: parseDecimal('0.1'),
    cur_realised_pnl: parseDecimal('-0.2'),
    cum_realised_pnl: parseDecimal('12.5'),
    leverage: parseDecimal('10'),
    liq_price: null,
    take_profit: 0n,
    stop_loss: null,
    trailing_stop: 0n,
    position_status: 'Normal',
    created_at: 1_700_000_000_000,
    updated_at: T0,
    seq: 100,
    source: 'stream',
    received_at: T0 + 12,
    envelope_id: `70001_position_${T0 + 10}`,
    envelope_created_at: T0 + 10,
    frame_index: 0,
    ...changes,
  };
}

export function merged(value: PositionUpdate, offset: number, effectiveMs = value.envelope_created_at): MergedRecord {
  return { topic: 'ws-gateway.position', partition: 0, offset, eventMs: value.envelope_created_at, effectiveMs, type: 'PositionUpdate', value };
}

export interface Emitted {
  readonly topic: string;
  readonly key: string;
  readonly type: RecordName;
  readonly value: RecordTypes[RecordName] | null;
  readonly eventMs: number;
}

/** Keeps what a processor emits. */
export class RecordingEmitter implements Emitter {
  readonly emitted: Emitted[] = [];
  readonly deadLetters: string[] = [];

  emit<N extends RecordName>(topic: string, key: string, type: N, value: RecordTypes[N] | null, eventMs: number): void {
    this.emitted.push({ topic, key, type, value, eventMs });
  }

  deadLetter(exception: string): void {
    this.deadLetters.push(exception);
  }

  /** Last value per topic and key, without its version. */
  latest(): Record<string, unknown> {
    const rows: Record<string, unknown> = {};
    for (const { topic, key, value } of this.emitted) {
      const { version: _version, ...row } = value as { version: number };
      rows[`${topic} ${key}`] = row;
    }
    return Object.fromEntries(Object.entries(rows).sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
