import type {
  CashEvent, Execution, Fill, InputRef, Order, OrderUpdate, PositionCycle, PositionDiscrepancy, PositionOrder, PositionUpdate, PredictionDelta, RecordName,
} from '../domain/records.js';
import { topicName } from '../config/namespace.js';
import { readTopic, type TopicSource } from '../verify/topic-reader.js';

/** A record and where it lies. Topics are named without the namespace. */
export interface Placed<T> {
  readonly place: InputRef;
  readonly value: T;
}

/** Everything the topics say of one asset, in the order of each topic. */
export interface AssetLog {
  readonly asset: string;
  readonly partition: number;
  readonly orderUpdates: Placed<OrderUpdate>[];
  readonly executions: Placed<Execution>[];
  readonly updates: Placed<PositionUpdate>[];
  readonly orders: Placed<Order>[];
  readonly fills: Placed<Fill>[];
  readonly cash: Placed<CashEvent>[];
  readonly links: Placed<PositionOrder>[];
  readonly cycles: Placed<PositionCycle>[];
  readonly deltas: Placed<PredictionDelta>[];
  readonly discrepancies: Placed<PositionDiscrepancy>[];
}

export const EXPLAINED_TOPICS = [
  'ws-gateway.order', 'ws-gateway.execution', 'ws-gateway.position', 'order-manager.order_events', 'position-linker.position_orders', 'position-linker.position_cycles',
  'position-linker.prediction_deltas', 'position-linker.discrepancies',
] as const;

const FIELDS: Readonly<Partial<Record<RecordName, Exclude<keyof AssetLog, 'asset' | 'partition'>>>> = {
  OrderUpdate: 'orderUpdates', Execution: 'executions', PositionUpdate: 'updates', Order: 'orders', Fill: 'fills', CashEvent: 'cash', PositionOrder: 'links', PositionCycle: 'cycles',
  PredictionDelta: 'deltas', PositionDiscrepancy: 'discrepancies',
};

/** An asset's records of all topics, which all lie in one partition. */
export async function readAssetLog(source: TopicSource, asset: string, partition: number): Promise<AssetLog> {
  const log: AssetLog = {
    asset, partition, orderUpdates: [], executions: [], updates: [], orders: [], fills: [], cash: [], links: [], cycles: [], deltas: [], discrepancies: [],
  };
  const ends = await source.log.lastStableOffsets(EXPLAINED_TOPICS.map((topic) => ({ topic: topicName(source.namespace, topic), partition })));
  for (const [index, topic] of EXPLAINED_TOPICS.entries()) {
    await readTopic(source, topic, partition, ends[index]?.offset ?? 0, ({ type, value, raw }) => {
      const field = type === null ? undefined : FIELDS[type];
      if (field !== undefined && value !== null) (log[field] as Placed<unknown>[]).push({ place: { topic, partition, offset: raw.offset }, value });
    }, asset);
  }
  return log;
}

/** The last record of each key, without those whose last record takes them away. */
export function liveOf<T extends { readonly retracted: boolean }>(records: readonly Placed<T>[], keyOf: (value: T) => string): Placed<T>[] {
  const live = new Map<string, Placed<T>>();
  for (const record of records) {
    const key = keyOf(record.value);
    if (record.value.retracted) live.delete(key);
    else live.set(key, record);
  }
  return [...live.values()];
}
