import { OPTIONS, OPTION_NAMES, type OptionName } from '../config/options.js';
import { UsageError, type Command } from './command.js';
import { didYouMean } from './suggestion.js';

/** What was typed, taken apart but not yet understood. */
export interface CommandLine {
  /** Words that are neither flags nor their values, in order. */
  readonly words: readonly string[];
  readonly flags: ReadonlyMap<OptionName, string>;
  readonly isHelpWanted: boolean;
}

/** By flag; of several options that share one, which a command then tells apart, the first. */
const BY_FLAG: ReadonlyMap<string, OptionName> = new Map([...OPTION_NAMES].reverse().map((name) => [OPTIONS[name].flag, name]));

/**
 * `--flag value`, `--flag=value`, `--switch`, `--switch=false`; `--` ends the flags; a single `-` is a word or a value. Flags
 * may stand before, between and after words; the last of two counts. Throws UsageError.
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const words: string[] = [];
  const flags = new Map<OptionName, string>();
  let isHelpWanted = false;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string;
    if (word === '--') {
      words.push(...argv.slice(at + 1));
      break;
    }
    if (word === '-h' || word === '--help') {
      isHelpWanted = true;
    } else if (!word.startsWith('-') || word === '-') {
      words.push(word);
    } else {
      const { name, inline } = findFlag(word);
      if (OPTIONS[name].placeholder === null) {
        flags.set(name, inline ?? 'true');
      } else {
        const value = inline ?? argv[++at];
        if (value === undefined || (inline === null && value.startsWith('--'))) throw new UsageError(`${OPTIONS[name].flag} needs a value: ${OPTIONS[name].placeholder}`);
        flags.set(name, value);
      }
    }
  }
  return { words, flags, isHelpWanted };
}

function findFlag(word: string): { readonly name: OptionName; readonly inline: string | null } {
  const equals = word.indexOf('=');
  const flag = equals < 0 ? word : word.slice(0, equals);
  const name = BY_FLAG.get(flag);
  if (name === undefined) throw new UsageError(`unknown option ${flag}${didYouMean(flag, [...BY_FLAG.keys(), '--help'])}`);
  return { name, inline: equals < 0 ? null : word.slice(equals + 1) };
}

/** The command whose path the words begin with, the longest of several; null if none. */
export function findCommand(commands: readonly Command[], words: readonly string[]): Command | null {
  const fitting = commands.filter((command) => command.path.every((word, index) => words[index] === word));
  return fitting.sort((a, b) => b.path.length - a.path.length)[0] ?? null;
}

/** What was typed, by the command's own options. Throws UsageError for one that the command does not take. */
export function flagsOf(command: Command, line: CommandLine): ReadonlyMap<OptionName, string> {
  return new Map(
    [...line.flags].map(([name, value]) => {
      const own = command.options.find((option) => OPTIONS[option].flag === OPTIONS[name].flag);
      if (own === undefined) throw new UsageError(`${OPTIONS[name].flag} is not an option of ${command.path.join(' ')}`);
      return [own, value];
    }),
  );
}

/** Throws UsageError for words that the command does not expect, or misses. */
export function checkUsage(command: Command, line: CommandLine): readonly string[] {
  const path = command.path.join(' ');
  const words = line.words.slice(command.path.length);
  let used = 0;
  for (const positional of command.positionals) {
    const taken = positional.count === 'some' ? words.slice(used) : words.slice(used, used + 1);
    if (taken.length === 0 && positional.count !== 'optional') throw new UsageError(`${path} needs ${positional.name}: ${positional.help}`);
    for (const word of taken) {
      if (positional.choices !== undefined && !positional.choices.includes(word)) {
        const hint = didYouMean(word, positional.choices);
        throw new UsageError(`${word} is no ${positional.name}${hint === '' ? `; one of ${positional.choices.join(', ')}` : hint}`);
      }
    }
    used += taken.length;
  }
  if (used < words.length) throw new UsageError(`${path} does not take ${JSON.stringify(words[used])}`);
  return words;
}
