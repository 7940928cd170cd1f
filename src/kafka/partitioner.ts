/**
 * Kafka's default partitioning of keys, bit for bit that of the Java client, so that every tool puts an asset's records
 * into the same partition number of every topic with the same number of partitions.
 */
const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;

/** MurmurHash2 as in Java's `Utils.murmur2`: a signed 32-bit number. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  let hash = SEED ^ length;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    let word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    word = Math.imul(word, MULTIPLIER);
    word ^= word >>> 24;
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER);
  }
  const rest = length - i;
  if (rest === 3) hash ^= bytes[i + 2]! << 16;
  if (rest >= 2) hash ^= bytes[i + 1]! << 8;
  if (rest >= 1) hash = Math.imul(hash ^ bytes[i]!, MULTIPLIER);
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}

const encoder = new TextEncoder();

/** The partition of a key among `partitions`; strings are taken as UTF-8. */
export function partitionOf(key: Uint8Array | string, partitions: number): number {
  const bytes = typeof key === 'string' ? encoder.encode(key) : key;
  return (murmur2(bytes) & 0x7fffffff) % partitions;
}
