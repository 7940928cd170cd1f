import type { FieldsRead } from '../domain/fields-read.js';
import type { RecordName, RecordTypes } from '../domain/records.js';

/** Topic names are those of topics.yaml, without the namespace prefix. */
export type TopicName = string;

/** One record as the canonical merge hands it over. Times in milliseconds since the epoch, on the exchange's clock. */
export type MergedRecord<N extends RecordName = RecordName> = {
  [K in N]: {
    readonly topic: TopicName;
    readonly partition: number;
    readonly offset: number;
    /** The record's own event time (its Kafka timestamp). */
    readonly eventMs: number;
    /** Where the record stands in the merge: never before an earlier record or watermark of its partition. */
    readonly effectiveMs: number;
    readonly type: K;
    readonly value: RecordTypes[K];
  };
}[N];

/** What a processor may do while it handles one input. Everything emitted is committed together with the input's offset. */
export interface Emitter {
  /**
   * Writes one record into the task's own partition of an output topic.
   * eventMs is the effective time of what caused it; value null is a tombstone (compacted topics only).
   */
  emit<N extends RecordName>(topic: TopicName, key: string, type: N, value: RecordTypes[N] | null, eventMs: number): void;
  /** Sends the input being handled, bytes unchanged, to its topic's dead letters. */
  deadLetter(exception: string, message: string): void;
}

/** One entry of a task's changelog: null deletes the key. Bytes carry their own version. */
export interface StateChange {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/**
 * The core of one role for one partition: a pure, synchronous state machine.
 * It has no clock and no I/O; the same inputs in the same order give the same outputs and state.
 */
export interface Processor {
  process(record: MergedRecord, emitter: Emitter): void;
  /**
   * The merged watermark rose to watermarkMs. Returns the watermark the role may forward: not above watermarkMs,
   * lower while the role still holds something back that belongs before it.
   */
  advance(watermarkMs: number, emitter: Emitter): number;
  /** State changed since the last call, to be committed with the outputs. */
  takeChanges(): StateChange[];
  /** Called for every live changelog entry before the first record, in any order of keys, then finishRestore once. */
  restore(key: string, value: Uint8Array): void;
  finishRestore(): void;
}

/** A role between topics, as data. */
export interface Topology {
  /** Role name = consumer group = CLI verb, such as order-manager. */
  readonly role: string;
  /** Input topics in their declared order: it breaks ties of the merge. */
  readonly inputs: readonly TopicName[];
  /** Output topics that carry watermarks. */
  readonly outputs: readonly TopicName[];
  /** Compacted output topics: no watermarks, the key is asset|rest. */
  readonly compactedOutputs: readonly TopicName[];
  readonly changelog: TopicName;
  /** Fields the processor looks at, where that is not all of them: the others are checked but may be missing. */
  readonly reads?: FieldsRead;
  /**
   * Version of the state that its processor keeps; 1 where it is not said. A task that finds an older one makes its state anew
   * from its inputs, without writing any output again; one that finds a newer one refuses.
   */
  readonly stateVersion?: number;
  /** Without `keepsChanges` its takeChanges has nothing to tell: for runs whose state nobody stores. It is to be called all the same. */
  createProcessor(keepsChanges?: boolean): Processor;
}
