import type { FrameSource } from './frame-source.js';
import { Gateway, type GatewayCounts, type GatewayOptions } from './gateway.js';
import { Pace } from './pace.js';
import type { SourceWriter } from './source-writer.js';

export interface RunGatewayOptions extends GatewayOptions {
  /** Recorded pace times this number; max is as fast as it goes. */
  readonly speed: number | 'max';
  /** More of the session follows: no closing watermark. */
  readonly continues: boolean;
  readonly signal?: AbortSignal;
  /** Called after each piece of input that was taken. */
  readonly onProgress?: (counts: GatewayCounts) => void;
}

export interface GatewayRun {
  readonly counts: GatewayCounts;
  /** Stopped by the signal before the end: no closing watermark was written. */
  readonly interrupted: boolean;
}

/** Takes a source to its end: frames through the gateway into the writer, acknowledged when this resolves. */
export async function runGateway(source: FrameSource, writer: SourceWriter, options: RunGatewayOptions): Promise<GatewayRun> {
  const gateway = new Gateway(options, writer);
  const signal = options.signal ?? new AbortController().signal;
  const pace = options.speed === 'max' ? null : new Pace(options.speed, signal);
  for await (const items of source) {
    for (const item of items) {
      if (pace !== null && item.kind === 'frame') {
        await pace.until(item.receivedAtMs, async (reachedMs) => {
          gateway.tick(reachedMs);
          await writer.flush();
        });
      }
      if (signal.aborted) break;
      gateway.accept(item);
    }
    if (signal.aborted) break;
    await writer.drain();
    options.onProgress?.(gateway.counts);
  }
  if (!signal.aborted) gateway.finish(options.continues);
  await writer.flush();
  return { counts: gateway.counts, interrupted: signal.aborted };
}
