/** CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), sixteen bytes a step over a little-endian machine's words. */
const SLICES = 16;
const TABLE = buildTable();

function buildTable(): Int32Array {
  const table = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    table[byte] = crc;
  }
  for (let slice = 1; slice < SLICES; slice++) {
    for (let byte = 0; byte < 256; byte++) {
      const shorter = table[(slice - 1) * 256 + byte]!;
      table[slice * 256 + byte] = (shorter >>> 8) ^ table[shorter & 255]!;
    }
  }
  return table;
}

/** Checksum of `bytes[start, end)` as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const t = TABLE;
  let crc = -1;
  let i = start;
  for (; i < end && ((bytes.byteOffset + i) & 3) !== 0; i++) crc = t[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + i, (end - i) >>> 2);
  let w = 0;
  for (const last = words.length - 3; w < last; w += 4) {
    const a = crc ^ words[w]!;
    const b = words[w + 1]!;
    const c = words[w + 2]!;
    const d = words[w + 3]!;
    crc =
      t[3840 + (a & 255)]! ^ t[3584 + ((a >>> 8) & 255)]! ^ t[3328 + ((a >>> 16) & 255)]! ^ t[3072 + (a >>> 24)]! ^
      t[2816 + (b & 255)]! ^ t[2560 + ((b >>> 8) & 255)]! ^ t[2304 + ((b >>> 16) & 255)]! ^ t[2048 + (b >>> 24)]! ^
      t[1792 + (c & 255)]! ^ t[1536 + ((c >>> 8) & 255)]! ^ t[1280 + ((c >>> 16) & 255)]! ^ t[1024 + (c >>> 24)]! ^
      t[768 + (d & 255)]! ^ t[512 + ((d >>> 8) & 255)]! ^ t[256 + ((d >>> 16) & 255)]! ^ t[d >>> 24]!;
  }
  for (i += w << 2; i < end; i++) crc = t[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
