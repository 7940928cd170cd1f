import { join } from 'node:path';
import { topicName, type Namespace } from '../config/namespace.js';
import type { Logger } from '../config/log.js';
import type { Options } from '../config/options.js';
import type { RecordCodec } from '../avro/record-codec.js';
import type { Log } from '../kafka/log.js';
import { partitionOf } from '../kafka/partitioner.js';
import { ORDER_TOPIC } from '../ws-gateway/frame-parser.js';
import type { ExchangeClock } from '../ws-gateway/live/exchange-clock.js';
import { LiveRun } from '../ws-gateway/live/live-run.js';
import { readKnownTimes } from '../ws-gateway/live/read-known.js';
import { readSourceTails } from '../ws-gateway/source-tails.js';
import type { GATEWAY_OPTIONS } from './exchange-options.js';
import { openExchange } from './open-exchange.js';
import type { RunningRole } from './role-table.js';

export const GATEWAY_ROLE = 'ws-gateway';

export interface GatewayShell {
  readonly log: Log;
  readonly codec: RecordCodec;
  readonly namespace: Namespace;
  readonly logger: Logger;
  readonly options: Pick<Options, (typeof GATEWAY_OPTIONS)[number] | 'joinWindowMs'>;
  readonly signal: AbortSignal;
}

/** The running gateway, for whoever wants to look at it. */
export interface RunningGateway extends RunningRole {
  readonly run: LiveRun;
  readonly clock: ExchangeClock;
}

/** Opens the accounts, looks how far the topics have come, and connects. Throws a GuidedError for keys that will not do. */
export async function startGateway({ log, codec, namespace, logger, options, signal }: GatewayShell): Promise<RunningGateway> {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  signal.addEventListener('abort', end, { once: true });
  const roleLog = logger.child({ role: GATEWAY_ROLE });
  const exchange = await openExchange(options, roleLog, ended.signal);
  const partitions = await log.partitionCount(topicName(namespace, ORDER_TOPIC));
  const tails = await readSourceTails(log, codec, namespace, partitions);
  const known = await readKnownTimes(log, topicName(namespace, ORDER_TOPIC));
  const appender = log.sourceWriter();
  const run = new LiveRun({
    ...options, ...exchange, connections: options.redundant ? 2 : 1, appender, encode: (type, value) => codec.encode(type, value), nameOf: (topic) => topicName(namespace, topic),
    partitions, partitionOf: (asset) => partitionOf(asset, partitions), tails, known, sweepEveryMs: options.sweepIntervalMs,
    spoolFolder: join(options.spoolDir, namespace ?? 'default'), spoolLimitBytes: options.spoolLimitMb * 1024 * 1024, log: roleLog,
  });
  for (const { account } of exchange.accounts) roleLog.info({ account }, 'connecting');
  return {
    name: GATEWAY_ROLE,
    run,
    clock: exchange.clock,
    finished: run.finished,
    stop: () => run.stop(),
    close: async () => {
      ended.abort();
      signal.removeEventListener('abort', end);
      // A broker that is away would make it wait for what is safe on disk.
      await Promise.race([appender.close(), new Promise((resolve) => setTimeout(resolve, 1_000).unref())]);
    },
  };
}
