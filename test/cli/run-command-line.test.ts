import { expect } from 'chai';
import { defineCommand, UsageError, type Command, type CommandContext } from '../../src/cli/command.js';
import { COMMAND_GROUPS } from '../../src/cli/command-groups.js';
import { commandHelp } from '../../src/cli/help.js';
import { runCommandLine, type CommandGroup } from '../../src/cli/run-command-line.js';
import { suggestion } from '../../src/cli/suggestion.js';
import { BROKER_OPTIONS, OPTIONS } from '../../src/config/options.js';
import { GuidedError } from '../../src/config/guided-error.js';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly contexts: CommandContext[];
  readonly loaded: string[];
}

async function run(argv: string, env: Record<string, string> = {}, act: () => Promise<number> = async () => 0): Promise<Outcome> {
  const contexts: CommandContext[] = [];
  const loaded: string[] = [];
  const command = (path: string, rest: Partial<Command>): Command =>
    defineCommand({
      path: path.split(' '),
      summary: `does ${path}`,
      options: rest.options ?? [],
      ...(rest.positionals && { positionals: rest.positionals }),
      run: async (context) => {
        contexts.push(context as CommandContext);
        return act();
      },
    });
  const groups: CommandGroup[] = [
    { words: ['play', 'topics'], load: async () => (loaded.push('play'), [command('play', { options: ['speed', 'json', 'account'] }), command('topics apply', {}), command('topics list', {})]) },
    {
      words: ['run'],
      load: async () => (loaded.push('run'), [command('run', { positionals: [{ name: 'ROLE', help: 'roles to run', count: 'some', choices: ['order-manager', 'position-linker'] }], options: ['namespace', 'brokers'] })]),
    },
  ];
  let stdout = '';
  let stderr = '';
  const code = await runCommandLine(groups, argv.split(' ').filter((word) => word !== ''), {
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
    signal: new AbortController().signal,
    env,
  });
  return { code, stdout, stderr, contexts, loaded };
}

describe('the command line', () => {
  it('hands a command its words and the options it declares, and no others', async () => {
    const { code, contexts } = await run('--speed 2 play --json --account=a=b', { POSITION_LINKER_NAMESPACE: 'x' });
    expect(code).to.equal(0);
    expect(contexts[0]?.options).to.deep.equal({ speed: 2, json: true, account: 'a=b' });
    expect((await run('run order-manager position-linker --brokers a:1')).contexts[0]?.positionals).to.deep.equal(['order-manager', 'position-linker']);
    expect((await run('play --json=false')).contexts[0]?.options).to.include({ json: false });
  });

  it('loads only the group of the command', async () => {
    expect((await run('play')).loaded).to.deep.equal(['play']);
    expect((await run('--help')).loaded).to.deep.equal(['play', 'run']);
  });

  it('gives help for the whole, for a group and for a command, on standard output', async () => {
    for (const argv of ['--help', 'help', '-h']) expect((await run(argv)).stdout).to.match(/topics apply +does topics apply\n.*topics list[^]*run ROLE…/);
    expect((await run('topics --help')).stdout).to.include('topics list').and.not.include('ROLE');
    const { stdout, code, contexts } = await run('run --help');
    expect(stdout).to.include('order-manager, position-linker').and.include('KAFKA_BROKERS; needed');
    expect([code, contexts.length]).to.deep.equal([0, 0]);
    expect((await run('help run')).stdout).to.equal(stdout);
  });

  const wrong: readonly (readonly [argv: string, says: string])[] = [
    ['', 'no command'],
    ['plai', 'unknown command plai (did you mean play?)'],
    ['topics', 'topics needs a command: apply, list'],
    ['topics aply', 'unknown command topics aply (did you mean apply?)'],
    ['play --sped 2', 'unknown option --sped (did you mean --speed?)'],
    ['play --speed', '--speed needs a value: max|N'],
    ['play --speed --json', '--speed needs a value'],
    ['play --namespace x', '--namespace is not an option of play'],
    ['play x', 'play does not take "x"'],
    ['run', 'run needs ROLE: roles to run'],
    ['run order-manger --brokers a:1', 'order-manger is no ROLE (did you mean order-manager?)'],
    ['run order-manager', 'neither --brokers nor KAFKA_BROKERS is set'],
    ['play --speed zero', 'the value of --speed is not max or a number above 0'],
  ];
  for (const [argv, says] of wrong) {
    it(`refuses "${argv}" with exit code 2`, async () => {
      const { code, stdout, stderr, contexts } = await run(argv);
      expect(stderr).to.include(`position-linker: ${says}`);
      expect([code, stdout, contexts.length]).to.deep.equal([2, '', 0]);
    });
  }

  it('prints cause and next step of a failure and exits 1', async () => {
    const failure = new GuidedError('topics are missing', 'run `position-linker setup`', { cause: new Error('broker says no', { cause: 'ECONNREFUSED' }) });
    const { code, stderr } = await run('play', {}, () => Promise.reject(failure));
    expect(code).to.equal(1);
    expect(stderr).to.equal('position-linker: topics are missing\n  because: broker says no\n  because: ECONNREFUSED\n  next: run `position-linker setup`\n');
  });

  it('says a cause once that its wrapper repeats, and ends on causes in a circle', async () => {
    const cause = new Error('refused');
    const wrapper = new Error('cannot connect: refused', { cause });
    cause.cause = wrapper;
    expect((await run('play', {}, () => Promise.reject(wrapper))).stderr).to.equal('position-linker: cannot connect: refused\n');
  });

  it('passes the exit code of a command on, and wrong usage that only the command can see', async () => {
    expect((await run('play', {}, async () => 3)).code).to.equal(3);
    expect((await run('play', {}, () => Promise.reject(new UsageError('no such role')))).code).to.equal(2);
  });
});

describe('the real commands', () => {
  it('can be found by the words of their group, have help, and no two have one path', async () => {
    const paths: string[] = [];
    for (const group of COMMAND_GROUPS) {
      for (const command of await group.load()) {
        expect(group.words, command.path.join(' ')).to.include(command.path[0]);
        expect(commandHelp(command)).to.include(`usage: position-linker ${command.path.join(' ')}`);
        expect(command.summary.endsWith('.'), `${command.path.join(' ')}: ${command.summary}`).to.equal(false);
        expect(new Set(command.options.map((name) => OPTIONS[name].flag)).size, `${command.path.join(' ')}: two options of one flag`).to.equal(command.options.length);
        if (command.options.includes('brokers')) expect(command.options, `${command.path.join(' ')}: takes brokers, and not who asks`).to.include.members([...BROKER_OPTIONS]);
        paths.push(command.path.join(' '));
      }
    }
    expect(new Set(paths).size).to.equal(paths.length);
  });
});

describe('suggestion', () => {
  it('knows slips of the fingers, and when not to guess', () => {
    const words = ['setup', 'show', 'stack', 'replay'];
    expect(['setpu', 'shw', 'stak', 'rep', 'repaly'].map((word) => suggestion(word, words))).to.deep.equal(['setup', 'show', 'stack', 'replay', 'replay']);
    expect(['x', 'migrate', 'position'].map((word) => suggestion(word, words))).to.deep.equal([null, null, null]);
  });
});
