#!/usr/bin/env node
import { COMMAND_GROUPS } from './cli/command-groups.js';
import { runCommandLine } from './cli/run-command-line.js';

const INTERRUPTED_TWICE = 130;

const controller = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    // The first asks for an orderly stop; whoever sends a second one does not want to wait for it.
    if (controller.signal.aborted) process.exit(INTERRUPTED_TWICE);
    controller.abort(new Error(`stopped by ${name}`));
  });
}

// One of several processes ends with the one that started it, which may be gone before the code is loaded.
const orphaned = (): void => controller.abort(new Error('the process that started this one is gone'));
if (process.connected === false) orphaned();
else process.on('disconnect', orphaned);

// A reader that went away, such as `| head`, is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const code = await runCommandLine(COMMAND_GROUPS, process.argv.slice(2), {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  signal: controller.signal,
  env: process.env,
});

// Output to a pipe is asynchronous: exit only once both streams took everything.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
