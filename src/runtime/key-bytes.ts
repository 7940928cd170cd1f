const MAX_REMEMBERED = 20_000;

/** UTF-8 bytes of record keys; the same few keys come again and again. */
export class KeyBytes {
  private readonly known = new Map<string, Buffer>();

  of(key: string): Buffer {
    let bytes = this.known.get(key);
    if (bytes === undefined) {
      if (this.known.size >= MAX_REMEMBERED) this.known.clear();
      bytes = Buffer.from(key);
      this.known.set(key, bytes);
    }
    return bytes;
  }
}
