import { simulateLines } from '../../test/simulator/simulate.js';
import type { FrameSource, SourceItem } from '../../src/ws-gateway/frame-source.js';

const CHUNK_FRAMES = 500;
/** Orders that no benchmark ever reaches. */
const ENDLESS = 1_000_000_000;
const EMPTY = new Uint8Array(0);

export interface SessionOptions {
  readonly seed: number;
  readonly assets: number;
  /** Mean time between two orders of the whole session, in milliseconds of the session. */
  readonly meanGapMs: number;
  /** Frames handed over at once; default 500. */
  readonly chunkFrames?: number;
  /** Asked before every chunk: whether the session ends here. */
  readonly isEnough: (reachedMs: number) => boolean;
}

/** A made-up session without an end of its own, as the gateway would receive it. */
export async function* sessionFrames({ seed, assets, meanGapMs, chunkFrames = CHUNK_FRAMES, isEnough }: SessionOptions): FrameSource {
  let items: SourceItem[] = [];
  let lineNumber = 0;
  for (const line of simulateLines({ seed, assets, orders: ENDLESS, meanGapMs })) {
    const { receivedAt, frame } = JSON.parse(line) as { receivedAt: number; frame: unknown };
    items.push({ kind: 'frame', receivedAtMs: receivedAt, frame, account: null, raw: EMPTY, lineNumber: ++lineNumber });
    if (items.length < chunkFrames) continue;
    yield items;
    items = [];
    if (isEnough(receivedAt)) return;
  }
}

/** Records of a session of the default kind that one order brings about, nearly: it gives the pace. */
export const RECORDS_AN_ORDER = 6.25;
