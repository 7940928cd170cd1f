import { topicName, type Namespace } from '../config/namespace.js';
import type { Log } from '../kafka/log.js';
import type { LogRecord } from '../kafka/record.js';
import { readLetter, type Letter } from './letter.js';

/** A letter, how many there are of its record, and whether it was replayed. */
export interface FiledLetter extends Letter {
  /** One record may be refused by several readers, and by one of them twice. */
  readonly copies: number;
  readonly isReplayed: boolean;
}

/** All dead letters of a namespace, one a record. */
export class Mailbox {
  readonly #log: Log;
  readonly #namespace: Namespace;
  readonly #topics: readonly string[];

  /** topics: bare names of the dead-letter topics that exist. */
  constructor(log: Log, namespace: Namespace, topics: readonly string[]) {
    this.#log = log;
    this.#namespace = namespace;
    this.#topics = [...topics].sort();
  }

  /** By topic, partition and place; what is committed now. Keeps no values. */
  async letters(): Promise<readonly FiledLetter[]> {
    const found = new Map<string, { readonly letter: Letter; copies: number }>();
    const replayed = new Set<string>();
    for await (const record of this.records()) {
      const read = readLetter(this.#namespace, record);
      if ('replayedId' in read) {
        replayed.add(read.replayedId);
        continue;
      }
      const known = found.get(read.letter.id);
      if (known === undefined) found.set(read.letter.id, { letter: read.letter, copies: 1 });
      else known.copies++;
    }
    return [...found.values()].map(({ letter, copies }) => ({ ...letter, copies, isReplayed: replayed.has(letter.id) }));
  }

  /** Every record of the dead-letter topics, notes of replays included. Bytes are views: copy what is to be kept. */
  async *records(): AsyncGenerator<LogRecord> {
    for (const topic of this.#topics) {
      const name = topicName(this.#namespace, topic);
      const partitions = await this.#log.partitionCount(name);
      for (let partition = 0; partition < partitions; partition++) {
        for await (const { records } of this.#log.readRange({ topic: name, partition, from: 'earliest', until: 'lastStable' })) yield* records;
      }
    }
  }

  /** The record a letter lies in; null if it is gone. */
  async recordOf({ place: { topic, partition, offset } }: Letter): Promise<LogRecord | null> {
    return recordAt(this.#log, topicName(this.#namespace, topic), partition, offset);
  }
}

export async function recordAt(log: Log, topic: string, partition: number, offset: number): Promise<LogRecord | null> {
  const [earliest] = await log.earliestOffsets([{ topic, partition }]);
  if ((earliest?.offset ?? 0) > offset) return null;
  for await (const { records } of log.readRange({ topic, partition, from: offset, until: offset + 1 })) {
    for (const record of records) if (record.offset === offset) return record;
  }
  return null;
}
