import { OptionError, resolveOptions } from '../config/resolve.js';
import { UsageError, type Command, type CommandContext } from './command.js';
import { checkUsage, findCommand, flagsOf, parseCommandLine } from './command-line.js';
import { commandHelp, groupHelp, overviewHelp } from './help.js';
import { didYouMean } from './suggestion.js';

/** Commands that share their first word live in one module, loaded only when that word is typed. */
export interface CommandGroup {
  readonly words: readonly string[];
  load(): Promise<readonly Command[]>;
}

export type Shell = Pick<CommandContext, 'stdout' | 'stderr' | 'signal'> & { readonly env: Readonly<Record<string, string | undefined>> };

const DONE = 0;
const FAILED = 1;
const WRONG_USAGE = 2;

/** argv (without node and script) to exit code: 0 done, 1 failed, 2 called wrongly, 3 found something. Never rejects. */
export async function runCommandLine(groups: readonly CommandGroup[], argv: readonly string[], shell: Shell): Promise<number> {
  try {
    return await dispatch(groups, argv, shell);
  } catch (error) {
    if (error instanceof UsageError) {
      shell.stderr(`position-linker: ${error.message}\n`);
      return WRONG_USAGE;
    }
    shell.stderr(failureText(error));
    return error instanceof OptionError ? WRONG_USAGE : FAILED;
  }
}

async function dispatch(groups: readonly CommandGroup[], argv: readonly string[], shell: Shell): Promise<number> {
  const line = parseCommandLine(argv);
  const [first] = line.words;
  if (first === undefined || (first === 'help' && line.words.length === 1)) {
    const overview = overviewHelp((await Promise.all(groups.map((group) => group.load()))).flat());
    if (first === undefined && !line.isHelpWanted) throw new UsageError('no command; `position-linker --help` lists them');
    shell.stdout(overview);
    return DONE;
  }
  const words = first === 'help' ? line.words.slice(1) : line.words;
  const isHelpWanted = line.isHelpWanted || first === 'help';
  const commands = await commandsOf(groups, words[0] as string);
  const command = findCommand(commands, words);
  if (command === null) return helpOfPart(commands, words, isHelpWanted, shell);
  if (isHelpWanted) {
    shell.stdout(commandHelp(command));
    return DONE;
  }
  const flags = flagsOf(command, line);
  const positionals = checkUsage(command, line);
  const options = resolveOptions(command.options, flags, shell.env);
  // Only the declared options are there; the type of a command's context says the same.
  return command.run({ ...shell, argv, flags: new Set(line.flags.keys()), positionals, options: options as CommandContext['options'] });
}

async function commandsOf(groups: readonly CommandGroup[], word: string): Promise<readonly Command[]> {
  const group = groups.find((candidate) => candidate.words.includes(word));
  if (group === undefined) throw new UsageError(`unknown command ${word}${didYouMean(word, groups.flatMap((candidate) => candidate.words))}; \`position-linker --help\` lists them`);
  return (await group.load()).filter((command) => command.path[0] === word);
}

/** The words are the beginning of several commands, or of none. */
function helpOfPart(commands: readonly Command[], words: readonly string[], isHelpWanted: boolean, shell: Shell): number {
  const [first, second] = words as readonly [string, string | undefined];
  const nexts = commands.map((command) => command.path[1]).filter((word) => word !== undefined);
  if (second !== undefined) throw new UsageError(`unknown command ${first} ${second}${didYouMean(second, nexts)}; there is ${commands.map((command) => command.path.join(' ')).join(', ')}`);
  if (!isHelpWanted) throw new UsageError(`${first} needs a command: ${nexts.join(', ')}`);
  shell.stdout(groupHelp([first], commands));
  return DONE;
}

/** The error, what caused it, and what to do next. */
export function failureText(error: unknown): string {
  const lines: string[] = [];
  let nextStep: string | null = null;
  for (let cause: unknown = error, depth = 0; cause !== undefined && cause !== null && depth < 5; depth++) {
    const message = (cause instanceof Error ? cause.message || cause.name : String(cause)).trim();
    // A wrapper often repeats its cause: once is enough.
    if (!lines.some((line) => line.includes(message))) lines.push(`${depth === 0 ? 'position-linker: ' : '  because: '}${message}`);
    nextStep ??= (cause as { readonly nextStep?: string }).nextStep ?? null;
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  if (nextStep !== null) lines.push(`  next: ${nextStep}`);
  return `${lines.join('\n')}\n`;
}
