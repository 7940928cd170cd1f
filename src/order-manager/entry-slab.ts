const SLAB_BYTES = 65_536;

/** Keeps many small entries in few allocations: a buffer for each costs more than what is in it. */
export class EntrySlab {
  private slab = new Uint8Array(SLAB_BYTES);
  private at = 0;

  /** A copy of the bytes. */
  keep(bytes: Uint8Array): Uint8Array {
    if (bytes.length > SLAB_BYTES / 8) return bytes.slice();
    if (this.at + bytes.length > SLAB_BYTES) {
      this.slab = new Uint8Array(SLAB_BYTES);
      this.at = 0;
    }
    const kept = this.slab.subarray(this.at, this.at + bytes.length);
    kept.set(bytes);
    this.at += bytes.length;
    return kept;
  }
}
