/*
 * Roles as the command line runs them, all in this process. With --drain until everything is done, else until SIGTERM; then
 * answers what it used. The clock begins when the code is loaded, so joining the groups and warming up count.
 *
 *   node --import tsx bench/stages/roles.ts --namespace NAME [--drain] ROLE...|all
 */
import { parseArgs } from 'node:util';
import { runCommandLine } from '../../src/cli/run-command-line.js';
import { runCommands } from '../../src/cli/run.js';
import { answer, measure } from './stage-shell.js';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { namespace: { type: 'string' }, drain: { type: 'boolean', default: false } } });
const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());
let said = '';
const finish = measure();
const code = await runCommandLine([{ words: ['run'], load: async () => runCommands }], ['run', ...positionals, '--namespace', values.namespace ?? '', '--log-level', 'warn', ...(values.drain ? ['--drain'] : [])], {
  stdout: (text) => {
    said += text;
  },
  stderr: (text) => void process.stderr.write(text),
  signal: stopping.signal,
  env: process.env,
});
answer({ ...finish(), code, said: said.trim() });
process.exit(code);
