import { canonicalJson } from '../../src/domain/canonical-json.js';
import type { CashEvent, ExecutionAnomaly, Fill, Order, RecordName, RecordTypes } from '../../src/domain/records.js';
import { createOrderManager } from '../../src/order-manager/order-manager.js';
import type { OrderManagerOptions } from '../../src/order-manager/scope.js';
import type { Emitter, MergedRecord, Processor } from '../../src/runtime/processor.js';
import type { SourceRow } from './frames.js';

export interface Emitted {
  readonly type: RecordName;
  readonly value: RecordTypes[RecordName];
  readonly eventMs: number;
}

/** One order-manager with a log of what it emitted; times are handed out as a merge would. */
export class Session {
  readonly emitted: Emitted[] = [];
  readonly deadLetters: string[] = [];
  readonly changelog = new Map<string, Uint8Array>();
  forwardedMs = -1;
  private readonly options: Partial<OrderManagerOptions>;
  private processor: Processor;
  private effectiveMs = 0;
  private watermarkMs = -1;
  private readonly offsets = { OrderUpdate: 0, Execution: 0 };

  /** Orders and rows that the order-manager still holds on to so as to forget them one day. */
  get waitingToBeForgotten(): number {
    return (this.processor as unknown as { readonly expiry: { readonly size: number } }).expiry.size;
  }

  constructor(options: Partial<OrderManagerOptions> = {}) {
    this.options = options;
    this.processor = createOrderManager(options);
  }

  private readonly emitter: Emitter = {
    emit: (topic, key, type, value, eventMs) => {
      if (topic !== 'order-manager.order_events') throw new Error(`output into ${topic}`);
      if (value === null || !('asset' in value) || key !== value.asset) throw new Error(`bad key ${key}`);
      this.emitted.push({ type, value, eventMs });
    },
    deadLetter: (exception) => void this.deadLetters.push(exception),
  };

  put(row: SourceRow, effectiveMs?: number): void {
    const eventMs = row.type === 'OrderUpdate' ? row.value.updated_at : row.value.executed_at;
    this.effectiveMs = effectiveMs ?? Math.max(this.effectiveMs, eventMs, this.watermarkMs + 1);
    const topic = row.type === 'OrderUpdate' ? 'ws-gateway.order' : 'ws-gateway.execution';
    const offset = this.offsets[row.type]++;
    this.processor.process({ topic, partition: 3, offset, eventMs, effectiveMs: this.effectiveMs, ...row } as MergedRecord, this.emitter);
  }

  advance(watermarkMs: number): number {
    if (watermarkMs <= this.watermarkMs) return this.forwardedMs;
    this.watermarkMs = watermarkMs;
    this.forwardedMs = this.processor.advance(watermarkMs, this.emitter);
    return this.forwardedMs;
  }

  /** The watermark after which nothing is undecided. */
  close(): void {
    this.advance(Math.max(this.effectiveMs, this.watermarkMs) + 6_000);
  }

  commit(): void {
    for (const { key, value } of this.processor.takeChanges()) {
      if (value === null) this.changelog.delete(key);
      else this.changelog.set(key, value);
    }
  }

  /** Commits, and goes on with another processor that knows nothing but the changelog. */
  restart(reverse = false): void {
    this.commit();
    this.processor = createOrderManager(this.options);
    const entries = [...this.changelog];
    for (const [key, value] of reverse ? entries.reverse() : entries) this.processor.restore(key, value);
    this.processor.finishRestore();
  }

  /** Live records by identity, as texts without revision and inputs. */
  live(): string[] {
    const rows = new Map<string, string | null>();
    for (const { type, value } of this.emitted) {
      if (type === 'Order') {
        const row = value as Order;
        rows.set(`Order ${row.account} ${row.category} ${row.asset} ${row.order_id}`, text({ ...row, message_seq: null, message_at: null, revision: 0, inputs: [] }));
      } else {
        const row = value as Fill | CashEvent | ExecutionAnomaly;
        const id = 'fill_id' in row ? row.fill_id : 'cash_id' in row ? row.cash_id : `${row.exec_id} ${row.cause}`;
        rows.set(`${type} ${row.account} ${row.category} ${row.asset} ${id}`, row.retracted ? null : text({ ...row, revision: 0, inputs: [] }));
      }
    }
    return [...rows].filter(([, row]) => row !== null).map(([id, row]) => `${id} ${row}`).sort();
  }

  liveFills(): Fill[] {
    const fills = new Map<string, Fill>();
    for (const { type, value } of this.emitted) if (type === 'Fill') fills.set((value as Fill).fill_id, value as Fill);
    return [...fills.values()].filter((fill) => !fill.retracted);
  }

  orders(): Map<string, Order> {
    const orders = new Map<string, Order>();
    for (const { type, value } of this.emitted) if (type === 'Order') orders.set((value as Order).order_id, value as Order);
    return orders;
  }

  of<N extends RecordName>(type: N): RecordTypes[N][] {
    return this.emitted.filter((one) => one.type === type).map((one) => one.value as RecordTypes[N]);
  }

  transcript(): string[] {
    return this.emitted.map(({ type, value, eventMs }) => `${eventMs} ${type} ${canonicalJson(value)}`);
  }
}

function text(row: object): string {
  return canonicalJson(row);
}
