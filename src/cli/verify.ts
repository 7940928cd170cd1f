import { GuidedError } from '../config/guided-error.js';
import { databaseSchema } from '../config/namespace.js';
import { BROKER_OPTIONS } from '../config/options.js';
import { openDatabase } from '../postgres/database.js';
import { requireMigrated } from '../postgres/migrate.js';
import { READ_TOPICS } from '../verify/topic-state.js';
import { verify } from '../verify/verify.js';
import { defineCommand, type Command } from './command.js';
import { openPipeline } from './open-pipeline.js';
import { verifyJson, verifyText } from './verify-summary.js';

const HOLDS = 0;
const BREACH = 3;
const INTERRUPTED = 130;
const PROGRESS_EVERY_MS = 5_000;

/** `verify`: whether everything that must hold of tables and topics holds. */
export const verifyCommands: readonly Command[] = [
  defineCommand({
    path: ['verify'],
    summary: 'check everything that must hold of tables and topics',
    details:
      'Sizes against position updates, links against orders, cycles and deltas, deltas against results, results against the exchange\'s realised PnL, rows against ' +
      'the last record of their key; book by book, each breach with the row that shows it. Reads only, joins no consumer group, and can run beside the service: what tables ' +
      'have not taken in yet is judged as the topics say, and what waits for a watermark is left out. Exit codes: 0 all holds, 3 something does not, anything else failed.',
    options: ['asset', 'json', 'namespace', ...BROKER_OPTIONS, 'registryUrl', 'databaseUrl'],
    async run({ options, stdout, stderr, signal }) {
      const { asset, json, namespace, databaseUrl } = options;
      const schema = databaseSchema(namespace);
      const database = openDatabase({ databaseUrl, schema, applicationName: 'position-linker verify' });
      try {
        await requireMigrated(database, schema);
        const pipeline = await openPipeline(options, READ_TOPICS);
        try {
          let toldMs = performance.now();
          const report = await verify({
            ...pipeline, namespace, database, asset, signal,
            onPartition: (done, of) => {
              if (performance.now() - toldMs < PROGRESS_EVERY_MS) return;
              toldMs = performance.now();
              stderr(`${done} of ${of} partitions verified\n`);
            },
          });
          if (asset !== null && report.books + report.orders === 0) throw new GuidedError(`nothing is known of asset ${asset}`, 'name a symbol as the exchange writes it, such as BTCUSDT; `position-linker show positions` lists them');
          stdout(json ? verifyJson(report, asset) : verifyText(report));
          if (report.breaches.length > 0) return BREACH;
          return report.isInterrupted ? INTERRUPTED : HOLDS;
        } finally {
          await pipeline.close();
        }
      } finally {
        await database.close();
      }
    },
  }),
];
