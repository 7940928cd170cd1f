import { topicName, transactionalId, type Namespace } from '../config/namespace.js';
import type { Log, TaskWriter, TopicPartitionOffset } from '../kafka/log.js';
import type { OutgoingRecord } from '../kafka/record.js';
import { readLetter, repeatedRecord, replayNote, type Letter } from './letter.js';
import { isMeant, type LetterFilter } from './letter-filter.js';
import { Mailbox, recordAt } from './mailbox.js';

/** Why a letter is left where it is. */
export type LeftBecause = 'replayed-before' | 'no-record' | 'superseded';

export interface ReplayPlan {
  readonly replay: readonly Letter[];
  readonly left: readonly { readonly letter: Letter; readonly because: LeftBecause }[];
}

export interface ReplayOptions {
  readonly log: Log;
  readonly namespace: Namespace;
  /** Bare names of the dead-letter topics that exist. */
  readonly topics: readonly string[];
  readonly filter: LetterFilter;
  /** Which of these records were followed by newer ones of the same row: written again they would undo those. */
  readonly superseded: (letters: readonly Letter[]) => Promise<ReadonlySet<string>>;
}

const WRITER = 'dlq';
const BATCH_RECORDS = 200;
const BATCH_BYTES = 4_000_000;

/** What a replay would do. */
export async function planReplay({ log, namespace, topics, filter, superseded }: ReplayOptions): Promise<ReplayPlan> {
  const meant = (await new Mailbox(log, namespace, topics).letters()).filter((letter) => isMeant(letter, filter));
  const fresh = meant.filter(({ origin, isReplayed }) => origin !== null && !isReplayed);
  const overtaken = await superseded(fresh);
  const because = (letter: (typeof meant)[number]): LeftBecause | null =>
    letter.origin === null ? 'no-record' : letter.isReplayed ? 'replayed-before' : overtaken.has(letter.id) ? 'superseded' : null;
  return {
    replay: meant.filter((letter) => because(letter) === null),
    left: meant.flatMap((letter) => {
      const reason = because(letter);
      return reason === null ? [] : [{ letter, because: reason }];
    }),
  };
}

/**
 * Writes records once more where they came from, bytes unchanged, and behind each letter a note that it was done, in one
 * transaction. One replay at a time: the writer's id fences another, which then has written all of a batch or nothing.
 */
export async function replayLetters(options: ReplayOptions): Promise<ReplayPlan> {
  const { log, namespace, topics } = options;
  const writer = log.writer(transactionalId(namespace, WRITER, 0));
  try {
    // First the fence: what another replay has committed by then is seen by the plan, and it commits no more.
    await writer.init();
    const plan = await planReplay(options);
    const wanted = new Map(plan.replay.map((letter) => [letter.id, letter.origin as TopicPartitionOffset]));
    const batch = new Batch(writer);
    for await (const record of new Mailbox(log, namespace, topics).records()) {
      const read = readLetter(namespace, record);
      const origin = 'letter' in read ? wanted.get(read.letter.id) : undefined;
      if (!('letter' in read) || origin === undefined) continue;
      wanted.delete(read.letter.id);
      const topic = topicName(namespace, origin.topic);
      // With its headers a record may have been too large for a letter: then its bytes lie where it came from.
      const value = record.value ?? (await recordAt(log, topic, origin.partition, origin.offset))?.value ?? null;
      await batch.add(repeatedRecord(record, topic, origin, value), replayNote(record, topic, origin));
    }
    await batch.commit();
    return plan;
  } finally {
    await writer.close();
  }
}

class Batch {
  readonly #writer: TaskWriter;
  #records: OutgoingRecord[] = [];
  #bytes = 0;

  constructor(writer: TaskWriter) {
    this.#writer = writer;
  }

  async add(record: OutgoingRecord, note: OutgoingRecord): Promise<void> {
    this.#records.push(record, note);
    this.#bytes += record.value?.length ?? 0;
    if (this.#records.length >= BATCH_RECORDS || this.#bytes >= BATCH_BYTES) await this.commit();
  }

  async commit(): Promise<void> {
    if (this.#records.length === 0) return;
    await this.#writer.send(this.#records);
    await this.#writer.commit('', []);
    this.#records = [];
    this.#bytes = 0;
  }
}
