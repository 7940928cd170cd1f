import { canonicalJson } from '../domain/canonical-json.js';
import { keyText } from '../dead-letters/letter-filter.js';
import type { FiledLetter } from '../dead-letters/mailbox.js';
import type { LeftBecause, ReplayPlan } from '../dead-letters/replay-letters.js';
import { plainText, textTable } from './text-table.js';

/*
 * Dead letters on a terminal and as JSON. What they hold came from outside: nothing of it reaches a terminal as it is.
 */

type Read = { readonly record: object } | { readonly error: string };

const MESSAGE_CHARACTERS = 60;
const KEY_CHARACTERS = 24;
const SHOWN_BYTES = 512;
const BYTES_A_LINE = 16;

const BECAUSE: Readonly<Record<LeftBecause, string>> = {
  'replayed-before': 'replayed before',
  'no-record': 'no record of a topic: mend the line and ingest it again',
  superseded: 'a newer record has replaced its row',
};

function cut(text: string, characters: number): string {
  const all = [...plainText(text)];
  return all.length <= characters ? all.join('') : `${all.slice(0, characters - 1).join('')}…`;
}

function shownKey(letter: Pick<FiledLetter, 'key'>): string {
  const text = keyText(letter);
  return text === null ? '(none)' : cut(text, KEY_CHARACTERS);
}

export function lettersText(letters: readonly FiledLetter[], meant: number): string {
  if (letters.length === 0) return 'no dead letters\n';
  const left = { align: 'left' } as const;
  const columns = [{ heading: 'RECORD', ...left }, { heading: 'KEY', ...left }, { heading: 'STAGE', ...left }, { heading: 'EXCEPTION', ...left }, { heading: 'MESSAGE', ...left }, { heading: 'BYTES', align: 'right' } as const, { heading: 'STATE', ...left }];
  const rows = letters.map((letter) => [
    plainText(letter.id), shownKey(letter), plainText(letter.stage), plainText(letter.exception), cut(letter.message, MESSAGE_CHARACTERS), letter.size === null ? '-' : String(letter.size), letter.isReplayed ? 'replayed' : 'open',
  ]);
  const open = letters.filter(({ isReplayed }) => !isReplayed).length;
  const more = letters.length < meant ? `the newest ${letters.length} of ${meant}; --limit N shows more\n` : '';
  return `${textTable(columns, rows)}${more}${letters.length} dead letters, ${open} of them open\n`;
}

/** `content`: its bytes, and what they say. */
export function letterJson(letter: FiledLetter, content?: { readonly value: Uint8Array | null; readonly read: Read }): object {
  const { id, origin, place, timestampMs, stage, exception, message, size, headers, replayOf, copies, isReplayed } = letter;
  return {
    record: id, topic: origin?.topic ?? null, partition: origin?.partition ?? null, offset: origin?.offset ?? null, key: keyText(letter), time: new Date(timestampMs).toISOString(),
    stage, exception, message, bytes: size, state: isReplayed ? 'replayed' : 'open', copies, replay_of: replayOf, dead_letter: place, headers: Object.fromEntries(headers),
    ...(content === undefined ? {} : { value_base64: content.value === null ? null : Buffer.from(content.value).toString('base64'), ...jsonOf(content.read) }),
  };
}

function jsonOf(read: Read): object {
  return 'error' in read ? { unreadable: read.error } : { value: JSON.parse(canonicalJson(read.record)) as unknown };
}

export function letterText(letter: FiledLetter, value: Uint8Array | null, read: Read): string {
  const { id, place, timestampMs, stage, exception, message, size, headers, copies, isReplayed, replayOf } = letter;
  const lines = [
    `record     ${plainText(id)}`,
    `letter     ${place.topic}/${place.partition}/${place.offset}${copies > 1 ? ` and ${copies - 1} more` : ''}`,
    `state      ${isReplayed ? 'replayed' : 'open'}${replayOf === null ? '' : `, repeats ${plainText(replayOf)}`}`,
    `failed at  ${plainText(stage)}`,
    `exception  ${plainText(exception)}`,
    `message    ${plainText(message)}`,
    `key        ${shownKey(letter)}`,
    `time       ${new Date(timestampMs).toISOString()}`,
    ...headers.map(([name, text]) => `header     ${plainText(name)}: ${cut(text, 200)}`),
    `value      ${size === null ? 'none' : `${size} bytes`}`,
    ...(value === null ? [] : hexLines(value)),
    'error' in read ? `unreadable ${plainText(read.error)}` : `says       ${plainText(canonicalJson(read.record))}`,
  ];
  return `${lines.join('\n')}\n`;
}

function hexLines(value: Uint8Array): string[] {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(value.length, SHOWN_BYTES); at += BYTES_A_LINE) {
    const bytes = Buffer.from(value.subarray(at, Math.min(at + BYTES_A_LINE, SHOWN_BYTES)));
    const text = [...bytes].map((byte) => (byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`  ${at.toString(16).padStart(6, '0')}  ${bytes.toString('hex').replace(/(..)(?=.)/g, '$1 ').padEnd(BYTES_A_LINE * 3 - 1)}  ${text}`);
  }
  if (value.length > SHOWN_BYTES) lines.push(`  … ${value.length - SHOWN_BYTES} more bytes; --json has all`);
  return lines;
}

export function replayText({ replay, left }: ReplayPlan, isDryRun: boolean): string {
  const lines = [
    ...replay.map(({ id }) => `${isDryRun ? 'would replay' : 'replayed'} ${plainText(id)}`),
    ...left.map(({ letter, because }) => `left ${plainText(letter.id)}: ${BECAUSE[because]}`),
    `${replay.length} ${isDryRun ? 'would be replayed, nothing was written' : 'replayed'}; ${left.length} left${left.length === 0 ? '' : `, ${left.filter(({ because }) => because === 'replayed-before').length} of them replayed before`}`,
  ];
  return `${lines.join('\n')}\n`;
}

export function replayJson({ replay, left }: ReplayPlan, isDryRun: boolean): object {
  return { dry_run: isDryRun, replayed: isDryRun ? [] : replay.map(({ id }) => id), would_replay: isDryRun ? replay.map(({ id }) => id) : [], left: left.map(({ letter, because }) => ({ record: letter.id, because })) };
}
