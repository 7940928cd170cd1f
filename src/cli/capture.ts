import { GuidedError } from '../config/guided-error.js';
import { BROKER_OPTIONS } from '../config/options.js';
import { DEAD_LETTER_TOPIC, SOURCE_TOPICS } from '../ws-gateway/gateway.js';
import { CaptureWriter } from '../ws-gateway/restore/capture-writer.js';
import { restoreSession, type RestoredSession } from '../ws-gateway/restore/restored-session.js';
import { topicQueues } from '../ws-gateway/restore/topic-queue.js';
import { defineCommand, UsageError, type Command } from './command.js';
import { isoTime } from './ingest-summary.js';
import { openPipeline } from './open-pipeline.js';

const INTERRUPTED = 130;
const PROGRESS_EVERY_MS = 5_000;

/** `capture`: the source topics back into a file that `ingest` reads. */
export const captureCommands: readonly Command[] = [
  defineCommand({
    path: ['capture'],
    summary: 'write the source topics back as a capture file: a backup of the log',
    details:
      'The file holds what the ws-gateway topics hold, in an order that gives every partition the same records again; what the gateway could not read is there byte for byte. ' +
      'Ingested into an empty namespace with as many partitions and the same --join-window-ms and --skew-allowance-ms, it gives the same topics and the same tables. A name that ends in .gz is compressed. ' +
      'The file appears when it is complete. Exit codes: 0 written, anything else failed.',
    options: ['out', 'namespace', ...BROKER_OPTIONS, 'registryUrl', 'joinWindowMs', 'skewAllowanceMs', 'json'],
    async run({ options, stdout, stderr, signal }) {
      const { out, namespace, json } = options;
      if (out === null) throw new UsageError('capture needs --out FILE: the file to be written');
      const pipeline = await openPipeline(options, SOURCE_TOPICS);
      try {
        const startedMs = performance.now();
        const { queues, isCut } = await topicQueues({ ...pipeline, namespace }, pipeline.partitions);
        if (isCut) stderr(`note: ${SOURCE_TOPICS.join(', ')} and ${DEAD_LETTER_TOPIC} no longer begin at their first record: what was before is not in the file\n`);
        const writer = opened(out);
        let lines = 0;
        let toldMs = startedMs;
        let session: RestoredSession;
        try {
          session = await restoreSession(queues, (line) => {
            writer.write(line);
            lines += 1;
          }, {
            ...options, signal,
            onMoment: async () => {
              await writer.flush();
              if (performance.now() - toldMs < PROGRESS_EVERY_MS) return;
              toldMs = performance.now();
              stderr(`${lines} lines\n`);
            },
          });
          if (signal.aborted) {
            await writer.discard();
            stderr('interrupted: no file was written\n');
            return INTERRUPTED;
          }
          if (session.frames === 0) throw new GuidedError('the source topics are empty', 'ingest a session first, or name another --namespace');
          await writer.finish();
        } catch (error) {
          await writer.discard();
          throw error;
        }
        const seconds = (performance.now() - startedMs) / 1_000;
        stdout(json ? captureJson(out, session, isCut, seconds) : captureText(out, session, seconds));
        return 0;
      } finally {
        await pipeline.close();
      }
    },
  }),
];

function opened(out: string): CaptureWriter {
  if (out.endsWith('/')) throw new UsageError(`--out ${out}: a file, not a folder`);
  return new CaptureWriter(out);
}

function captureText(out: string, { frames, records, deadLetters, firstReceivedMs, lastReceivedMs, isClosed }: RestoredSession, seconds: number): string {
  return (
    `${out}: ${frames} frames with ${records} records from ${isoTime(firstReceivedMs)} to ${isoTime(lastReceivedMs)}${deadLetters === 0 ? '' : `, ${deadLetters} lines that could not be read`}, in ${seconds.toFixed(2)} s\n` +
    (isClosed ? '' : 'the session was not closed: ingest this file with --continues\n')
  );
}

function captureJson(out: string, { frames, records, deadLetters, firstReceivedMs, lastReceivedMs, isClosed }: RestoredSession, isCut: boolean, seconds: number): string {
  return `${JSON.stringify({ out, frames, records, deadLetters, firstReceivedAt: firstReceivedMs, lastReceivedAt: lastReceivedMs, closed: isClosed, complete: !isCut, seconds })}\n`;
}
