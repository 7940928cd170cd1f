import { topicName } from '../../src/config/namespace.js';
import { KafkaLog } from '../../src/kafka/kafka-log.js';
import type { OutgoingRecord } from '../../src/kafka/record.js';
import { SOURCE_TOPICS } from '../../src/ws-gateway/gateway.js';
import type { Random } from '../simulator/random.js';

const EVENT_MS = 1_767_225_600_000;

/** Records that no gateway of ours writes, now and then between the others: each has to end as a dead letter. */
export class HostileWriter {
  written = 0;
  readonly #log: KafkaLog;
  readonly #random: Random;
  readonly #namespace: string;
  readonly #partitions: number;
  readonly #timer: NodeJS.Timeout;

  constructor(brokers: readonly string[], namespace: string, partitions: number, random: Random) {
    this.#log = new KafkaLog({ brokers, clientId: 'chaos-hostile' });
    this.#random = random;
    this.#namespace = namespace;
    this.#partitions = partitions;
    const writer = this.#log.sourceWriter();
    this.#timer = setInterval(() => {
      // While brokers are down nothing is certain, and nothing has to be: the judge reads what is in the topics.
      writer.send([this.#record()]).then(() => this.written++, () => undefined);
    }, 700);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#log.close();
  }

  #record(): OutgoingRecord {
    const random = this.#random;
    const noise = Buffer.from(Array.from({ length: random.int(1, 40) }, () => random.int(0, 255)));
    const values: (Buffer | null)[] = [
      null, Buffer.alloc(0), noise, Buffer.concat([Buffer.from([0]), noise]), Buffer.concat([Buffer.from([0, 0, 0, 0xff, 0xff]), noise]), Buffer.from([0, 0, 0, 0, 1]), Buffer.alloc(200_000, 0xff),
    ];
    return {
      topic: topicName(this.#namespace, random.pick(SOURCE_TOPICS)),
      partition: random.int(0, this.#partitions - 1),
      timestampMs: random.pick([EVENT_MS, 0, 4_102_444_800_000]),
      key: random.pick([null, Buffer.from('BTCUSDT'), noise]),
      value: random.pick(values),
    };
  }
}
