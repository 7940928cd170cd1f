import type { Letter } from './letter.js';

/** Which letters are meant; null says nothing. Names as the letters show them. */
export interface LetterFilter {
  /** Of the record, or of the letter itself; bare or with the namespace. */
  readonly topic: string | null;
  /** Of the record's key: all of it, or up to its first bar. */
  readonly asset: string | null;
  /** The whole key. */
  readonly key: string | null;
  readonly stage: string | null;
  /** Its name, or the beginning of it. */
  readonly exception: string | null;
  /** Empty for all. */
  readonly ids: readonly string[];
}

export function keyText({ key }: Pick<Letter, 'key'>): string | null {
  return key === null ? null : Buffer.from(key).toString('utf8');
}

export function isMeant(letter: Letter, filter: LetterFilter): boolean {
  const { topic, asset, key, stage, exception, ids } = filter;
  const text = keyText(letter);
  if (ids.length > 0 && !ids.includes(letter.id) && !ids.includes(`${letter.place.topic}/${letter.place.partition}/${letter.place.offset}`)) return false;
  if (topic !== null && topic !== letter.origin?.topic && topic !== letter.place.topic) return false;
  if (key !== null && text !== key) return false;
  if (asset !== null && text?.split('|')[0] !== asset) return false;
  if (stage !== null && letter.stage !== stage) return false;
  return exception === null || letter.exception === exception || letter.exception.startsWith(exception);
}
