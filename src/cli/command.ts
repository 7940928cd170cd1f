import type { OptionName, Options } from '../config/options.js';

export interface Positional {
  /** As shown in usage, such as ROLE. */
  readonly name: string;
  readonly help: string;
  /** one: exactly one; some: one or more; optional: none or one. */
  readonly count: 'one' | 'some' | 'optional';
  /** Closed list of words; anything else is refused with a suggestion. */
  readonly choices?: readonly string[];
}

export interface CommandContext<N extends OptionName = OptionName> {
  /** The whole command line as it was typed. */
  readonly argv: readonly string[];
  /** Words after the command's path, checked against its positionals. */
  readonly positionals: readonly string[];
  /** Values of the options that the command declares. */
  readonly options: Pick<Options, N>;
  /** Options that a flag said; all others come from the environment or are fallbacks. */
  readonly flags: ReadonlySet<OptionName>;
  /** Writes text as it is; the caller ends lines. Results only. */
  stdout(text: string): void;
  /** Progress and hints for a person; logs go through the logger. */
  stderr(text: string): void;
  /** Aborted by SIGINT and SIGTERM: stop in order, release everything, return. */
  readonly signal: AbortSignal;
}

/**
 * One command. `run` answers the exit code: 0 done, 3 done and something was found (such as drift); for a failure it
 * throws, and the command line prints the message, its causes and the next step (GuidedError) and exits 1.
 */
export interface Command {
  /** Words that select it, such as ['topics', 'apply']. */
  readonly path: readonly string[];
  /** One line without a full stop, for the list of commands. */
  readonly summary: string;
  /** Further lines of the command's own help. */
  readonly details?: string;
  readonly positionals: readonly Positional[];
  readonly options: readonly OptionName[];
  run(context: CommandContext): Promise<number>;
}

interface CommandSpec<N extends OptionName> {
  readonly path: readonly string[];
  readonly summary: string;
  readonly details?: string;
  readonly positionals?: readonly Positional[];
  readonly options: readonly N[];
  run(context: CommandContext<N>): Promise<number>;
}

/** Declares a command whose context holds exactly the options it names. */
export function defineCommand<const N extends OptionName>(spec: CommandSpec<N>): Command {
  return { ...spec, positionals: spec.positionals ?? [], run: (context) => spec.run(context) };
}

/** The command was called wrongly; exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}
