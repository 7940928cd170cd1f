import { expect } from 'chai';
import { explainCommands } from '../../src/cli/explain.js';
import { runCommandLine } from '../../src/cli/run-command-line.js';

async function told(...words: readonly string[]): Promise<{ code: number; errors: string }> {
  let errors = '';
  const code = await runCommandLine([{ words: ['explain'], load: async () => explainCommands }], ['explain', ...words, '--database-url', 'postgres://nobody@127.0.0.1:1/none', '--registry-url', 'http://127.0.0.1:1', '--brokers', '127.0.0.1:1'], {
    stdout: () => undefined, stderr: (text) => void (errors += text), signal: new AbortController().signal, env: {},
  });
  return { code, errors };
}

describe('words of explain', () => {
  it('are a kind and an id, or an id alone', async () => {
    expect(await told()).to.deep.include({ code: 2 });
    for (const [words, message] of [[['order'], 'explain order needs an ID'], [['trade', 'x'], 'explain trade: there is order, exec, position, signal, asset'], [['order', 'a', 'b'], 'explain takes one id']] as const) {
      const { code, errors } = await told(...words);
      expect(code).to.equal(2);
      expect(errors).to.contain(message);
    }
  });

  it('go on to the tables where they are right', async () => {
    for (const words of [['order', 'x'], ['x']]) expect((await told(...words)).code).to.equal(1);
  });
});
