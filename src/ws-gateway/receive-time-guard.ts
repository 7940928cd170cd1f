import type { ReceivedFrame, SourceItem, UnreadableInput } from './frame-source.js';

/** No recording is silent for so long. */
const LONGEST_GAP_MS = 366 * 86_400_000;
/** So many frames in a row are not all wrong: then it was a gap after all. */
const MOST_HELD = 1_000;

/**
 * Takes frames out of a capture whose receive time cannot be, such as one in the year 2100 amid others of today: it would
 * carry the watermarks away, and everything after it would count as late. A time is impossible if it is more than a year
 * ahead of the frames before it, and the frames after it do not follow. Pure; it looks at receive times alone.
 */
export class ReceiveTimeGuard {
  /** Highest time believed; null until two frames agree. */
  #highestMs: number | null = null;
  #believed = 0;
  /** Frames not yet decided, and what came between them. */
  #held: SourceItem[] = [];
  #heldFrames = 0;

  /** What is decided by the next item; all items keep their order. */
  push(item: SourceItem): SourceItem[] {
    if (item.kind === 'unreadable') return this.#held.length === 0 ? [item] : this.#hold(item);
    return this.#highestMs === null ? this.#begin(item) : this.#follow(item, this.#highestMs);
  }

  /** End of the input: what is still held is believed unless more frames speak against it. */
  end(): SourceItem[] {
    const isBelieved = this.#heldFrames >= this.#believed;
    return this.#release(() => isBelieved);
  }

  #begin(frame: ReceivedFrame): SourceItem[] {
    const agrees = (other: ReceivedFrame): boolean => Math.abs(other.receivedAtMs - frame.receivedAtMs) <= LONGEST_GAP_MS;
    const isSure = this.#held.some((other) => other.kind === 'frame' && agrees(other));
    const decided = this.#hold(frame);
    return isSure && decided.length === 0 ? this.#release(agrees) : decided;
  }

  #follow(frame: ReceivedFrame, highestMs: number): SourceItem[] {
    if (frame.receivedAtMs > highestMs + LONGEST_GAP_MS) return this.#hold(frame);
    const decided = this.#held.length > 0 ? this.#release(() => false) : [];
    this.#believe(frame);
    decided.push(frame);
    return decided;
  }

  /** Once too many are held they are believed. */
  #hold(item: SourceItem): SourceItem[] {
    this.#held.push(item);
    if (item.kind === 'frame') this.#heldFrames++;
    return this.#held.length < MOST_HELD ? [] : this.#release(() => true);
  }

  #release(isPossible: (frame: ReceivedFrame) => boolean): SourceItem[] {
    const held = this.#held;
    this.#held = [];
    this.#heldFrames = 0;
    return held.map((item) => {
      if (item.kind === 'unreadable') return item;
      if (!isPossible(item)) return impossible(item);
      this.#believe(item);
      return item;
    });
  }

  #believe(frame: ReceivedFrame): void {
    this.#highestMs = Math.max(this.#highestMs ?? frame.receivedAtMs, frame.receivedAtMs);
    this.#believed++;
  }
}

function impossible(frame: ReceivedFrame): UnreadableInput {
  const message = `receivedAt ${frame.receivedAtMs} is more than a year away from that of the other lines`;
  return { kind: 'unreadable', reason: 'BadTime', message, raw: frame.raw, lineNumber: frame.lineNumber };
}
