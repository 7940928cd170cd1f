import { COMMAND_GROUPS } from '../../src/cli/command-groups.js';
import { runCommandLine } from '../../src/cli/run-command-line.js';

export interface CommandRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command line in this process, with this environment and no other; ends early when the signal comes. */
export async function runCommand(argv: readonly string[], env: Readonly<Record<string, string | undefined>>, signal: AbortSignal = new AbortController().signal): Promise<CommandRun> {
  const out = { stdout: '', stderr: '' };
  const code = await runCommandLine(COMMAND_GROUPS, argv, { env, signal, stdout: (text) => void (out.stdout += text), stderr: (text) => void (out.stderr += text) });
  return { code, ...out };
}
