/** The asset of a record key: keys are the asset, in compacted topics followed by | and the rest of the row's natural key. */
export function assetOfKey(key: string): string {
  const bar = key.indexOf('|');
  return bar < 0 ? key : key.slice(0, bar);
}
