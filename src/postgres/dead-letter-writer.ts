import { deadLetterTopic } from '../config/namespace.js';
import { RecordRefusedError } from '../kafka/errors.js';
import type { SourceWriter } from '../kafka/log.js';
import type { OutgoingRecord } from '../kafka/record.js';
import { deadLetterHeaders } from '../runtime/dead-letter.js';
import type { WriteDeadLetters } from './sink-commit.js';
import type { FailedRecord } from './sink.js';

/** Writes records with their bytes unchanged to the dead letters of their topic, same partition. */
export function deadLetterWriter(writer: SourceWriter): WriteDeadLetters {
  return async (failed) => {
    try {
      await writer.send(failed.map((one) => letter(one, one.record.value)));
    } catch (error) {
      if (!(error instanceof RecordRefusedError)) throw error;
      // With its headers a record may be larger than the broker takes. The headers still tell where its bytes lie.
      await writer.send(failed.map((one) => letter(one, null)));
    }
  };
}

function letter({ record, stage, exception, message }: FailedRecord, value: Uint8Array | null): OutgoingRecord {
  return {
    topic: deadLetterTopic(record.topic),
    partition: record.partition,
    timestampMs: Math.max(0, record.timestampMs),
    key: record.key,
    value,
    headers: [...record.headers, ...deadLetterHeaders(record, stage, exception, message)],
  };
}
