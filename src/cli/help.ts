import { OPTIONS, type OptionName } from '../config/options.js';
import type { OptionSpec } from '../config/option.js';
import type { Command, Positional } from './command.js';

const WIDTH = 100;

/** Help of the whole: every command with its summary. */
export function overviewHelp(commands: readonly Command[]): string {
  const rows = commands.map((command): Row => [[...command.path, ...command.positionals.map(positionalUsage)].join(' '), command.summary]);
  return [
    'position-linker: which order opened, changed or closed which position, and what each signal earned',
    '',
    'usage: position-linker COMMAND [OPTIONS]',
    '',
    table(rows),
    '',
    'Every command has --help. Options can also come from the environment.',
    '',
  ].join('\n');
}

/** Help of one command. */
export function commandHelp(command: Command): string {
  const usage = ['usage: position-linker', ...command.path, ...command.positionals.map(positionalUsage), ...(command.options.length > 0 ? ['[OPTIONS]'] : [])];
  const lines = [usage.join(' '), '', ...wrap(sentence(command.summary), WIDTH)];
  if (command.details !== undefined) lines.push('', ...command.details.split('\n').flatMap((line) => wrap(line, WIDTH)));
  if (command.positionals.length > 0) lines.push('', table(command.positionals.map(positionalRow)));
  if (command.options.length > 0) lines.push('', 'options', table(command.options.map(optionRow)));
  return `${lines.join('\n')}\n`;
}

/** Help of several commands that share their first words, such as `topics`. */
export function groupHelp(words: readonly string[], commands: readonly Command[]): string {
  const rows = commands.map((command): Row => [command.path.join(' '), command.summary]);
  return `usage: position-linker ${words.join(' ')} COMMAND [OPTIONS]\n\n${table(rows)}\n`;
}

type Row = readonly [left: string, right: string];

function positionalUsage(positional: Positional): string {
  return { one: positional.name, some: `${positional.name}…`, optional: `[${positional.name}]` }[positional.count];
}

function positionalRow(positional: Positional): Row {
  const choices = positional.choices === undefined ? '' : `: ${positional.choices.join(', ')}`;
  return [positional.name, `${positional.help}${choices}`];
}

function optionRow(name: OptionName): Row {
  const spec = OPTIONS[name] as OptionSpec<unknown>;
  const left = spec.placeholder === null ? spec.flag : `${spec.flag} ${spec.placeholder}`;
  return [left, `${spec.help} [${spec.env}${fallbackText(spec)}]`];
}

function fallbackText(spec: OptionSpec<unknown>): string {
  if (spec.fallback === undefined) return '; needed';
  if (spec.fallback === null || spec.fallback === false) return '';
  return `; default ${String(spec.fallback)}${spec.unit === null || typeof spec.fallback !== 'number' ? '' : ` ${spec.unit}`}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function table(rows: readonly Row[]): string {
  const width = Math.min(Math.max(...rows.map(([left]) => left.length)), 34);
  return rows.flatMap(([left, right]) => rowLines(left, wrap(right, WIDTH - width - 4), width)).join('\n');
}

function rowLines(left: string, right: readonly string[], width: number): string[] {
  const own = left.length > width ? [`  ${left}`] : [];
  return [...own, ...right.map((line, index) => `  ${(index === 0 && own.length === 0 ? left : '').padEnd(width)}  ${line}`)];
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
