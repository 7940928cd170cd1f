import { expect } from 'chai';
import { bareTopicName, databaseSchema, groupId, subjectName, topicName, transactionalId } from '../../src/config/namespace.js';
import { OPTIONS, OPTION_NAMES, type OptionName } from '../../src/config/options.js';
import { DEFAULT_SIGNAL_PATTERN } from '../../src/domain/signal.js';
import type { OptionSpec } from '../../src/config/option.js';
import { OptionError, resolveOptions } from '../../src/config/resolve.js';

function flags(values: Partial<Record<OptionName, string>>): Map<OptionName, string> {
  return new Map(Object.entries(values) as [OptionName, string][]);
}

describe('options', () => {
  it('come from the flag, else the environment, else the fallback', () => {
    const env = { POSITION_LINKER_POLICY: 'fifo', POSITION_LINKER_JOIN_WINDOW_MS: '7' };
    const options = resolveOptions(['policy', 'joinWindowMs', 'horizonEvents', 'brokers'], flags({ joinWindowMs: '9', brokers: 'a:1, [::1]:2' }), env);
    expect(options).to.deep.equal({ policy: 'fifo', joinWindowMs: 9, horizonEvents: 5000, brokers: ['a:1', '[::1]:2'] });
  });

  it('take an empty variable for none', () => {
    expect(resolveOptions(['policy'], flags({}), { POSITION_LINKER_POLICY: '' })).to.deep.equal({ policy: 'pro-rata' });
    expect(() => resolveOptions(['databaseUrl'], flags({}), { DATABASE_URL: '' })).to.throw(OptionError, 'neither --database-url nor DATABASE_URL is set');
  });

  it('that are missing or wrong say where they came from and what to do', () => {
    const error = (run: () => unknown): OptionError => {
      try {
        run();
      } catch (caught) {
        return caught as OptionError;
      }
      throw new Error('accepted');
    };
    expect(error(() => resolveOptions(['brokers'], flags({}), {})).nextStep).to.include('stack up');
    expect(error(() => resolveOptions(['partitions'], flags({}), { POSITION_LINKER_PARTITIONS: '0' })).message).to.equal('the value of POSITION_LINKER_PARTITIONS is not a whole number from 1 to 10000');
    expect(error(() => resolveOptions(['policy'], flags({ policy: 'lifo' }), {})).message).to.equal('the value of --policy is not one of pro-rata, fifo');
  });

  it('never show a URL in an error', () => {
    const secret = 'ftp://user:hunter2@host';
    for (const name of ['databaseUrl', 'registryUrl'] as const) {
      expect(() => resolveOptions([name], flags({ [name]: secret }), {})).to.throw(OptionError).that.satisfies((error: OptionError) => !`${error.message}${error.nextStep}`.includes('hunter2'));
    }
  });

  const refused: readonly (readonly [OptionName, string])[] = [
    ['namespace', 'a.b'], ['namespace', 'a-b'], ['namespace', 'pg_own'], ['namespace', 'public'], ['namespace', 'x'.repeat(41)], ['namespace', 'ä'],
    ['brokers', 'localhost'], ['brokers', 'a:0'], ['brokers', ','], ['brokers', 'http://a:1'],
    ['registryUrl', 'localhost:8081'], ['registryUrl', 'http://a:1,b:2'], ['databaseUrl', 'mysql://x'],
    ['partitions', '1.5'], ['partitions', '-1'], ['partitions', '1e3'], ['joinWindowMs', '5s'],
    ['signalPattern', '('], ['signalPattern', 'sig-.*'], ['signalPattern', '(?:x)'],
    ['speed', '0'], ['speed', 'fast'], ['speed', '-1'], ['speed', 'Infinity'], ['json', 'yes'],
  ];
  for (const [name, text] of refused) {
    it(`refuse ${OPTIONS[name].flag} ${JSON.stringify(text)}`, () => {
      expect(() => resolveOptions([name], flags({ [name]: text }), {})).to.throw(OptionError);
    });
  }

  it('accept the forms that are documented', () => {
    const values = resolveOptions(['namespace', 'registryUrl', 'speed', 'signalPattern'], flags({ namespace: 'run_1', registryUrl: 'http://u:p@h:1/apis/ccompat/v7/', speed: '2.5', signalPattern: '^sig-(\\d+)' }), {});
    expect(values).to.deep.equal({ namespace: 'run_1', registryUrl: 'http://u:p@h:1/apis/ccompat/v7', speed: 2.5, signalPattern: '^sig-(\\d+)' });
  });

  it('have unique variables, and fallbacks that they would accept themselves', () => {
    const specs = OPTION_NAMES.map((name) => OPTIONS[name] as OptionSpec<unknown>);
    // Options of one flag are told apart by the command; whether a value follows the flag must be known before that.
    for (const spec of specs) expect(specs.filter((other) => other.flag === spec.flag && (other.placeholder === null) !== (spec.placeholder === null)), spec.flag).to.deep.equal([]);
    expect(new Set(specs.map((spec) => spec.env)).size).to.equal(specs.length);
    for (const spec of specs) {
      if (spec.fallback !== undefined && spec.fallback !== null) expect(spec.parse(String(spec.fallback)), spec.flag).to.deep.equal(spec.fallback);
    }
  });

  it('have a default signal pattern that cuts off the number of an order', () => {
    const signalOf = (id: string): string | undefined => new RegExp(DEFAULT_SIGNAL_PATTERN).exec(id)?.[1];
    expect(['sig', 'sig_1', 'sig_1_22', 'a-b_x', '2024_'].map(signalOf)).to.deep.equal(['sig', 'sig', 'sig_1', 'a-b_x', '2024_']);
  });
});

describe('names under a namespace', () => {
  it('have it before them, and none without', () => {
    expect(topicName('run1', 'ws-gateway.order')).to.equal('run1.ws-gateway.order');
    expect(topicName(null, 'ws-gateway.order')).to.equal('ws-gateway.order');
    expect(groupId('run1', 'order-manager')).to.equal('run1.order-manager');
    expect(transactionalId('run1', 'order-manager', 3)).to.equal('run1.order-manager.3');
    expect(subjectName('run1', 'ws-gateway.order', 'position_linker.Watermark')).to.equal('run1.ws-gateway.order-position_linker.Watermark');
    expect([databaseSchema('run1'), databaseSchema(null)]).to.deep.equal(['run1', 'public']);
  });

  it('lose it again, and names of others are none', () => {
    expect(bareTopicName('run1', 'run1.ws-gateway.order')).to.equal('ws-gateway.order');
    expect(bareTopicName('run1', 'run10.ws-gateway.order')).to.equal(null);
    expect(bareTopicName(null, 'ws-gateway.order')).to.equal('ws-gateway.order');
  });
});
