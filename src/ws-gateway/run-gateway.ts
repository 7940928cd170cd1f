import { GuidedError } from '../config/guided-error.js';
import type { FrameSource } from './frame-source.js';
import { Gateway, NotACaptureError, type GatewayCounts, type GatewayOptions } from './gateway.js';
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
  try {
    await takeAll(source, gateway, writer, signal, options);
    if (!signal.aborted) gateway.finish(options.continues);
  } catch (error) {
    if (error instanceof NotACaptureError) {
      throw new GuidedError(`this is no capture: ${error.message}`, 'a capture holds one JSON object a line: {"receivedAt": milliseconds, "frame": {...}}, plain or gzip', { cause: error });
    }
    // An input that was cut off because we are to stop ends with an error of its own.
    if (!signal.aborted) throw error;
  }
  await writer.flush();
  return { counts: gateway.counts, interrupted: signal.aborted };
}

async function takeAll(source: FrameSource, gateway: Gateway, writer: SourceWriter, signal: AbortSignal, { speed, onProgress }: RunGatewayOptions): Promise<void> {
  const pace = speed === 'max' ? null : new Pace(speed, signal);
  for await (const items of source) {
    for (const item of items) {
      if (pace !== null && item.kind === 'frame') {
        await pace.until(item.receivedAtMs, async (reachedMs) => {
          gateway.tick(reachedMs);
          await writer.flush();
        });
      }
      if (signal.aborted) return;
      gateway.accept(item);
    }
    await writer.drain();
    onProgress?.(gateway.counts);
  }
}
