import { expect } from 'chai';
import { FakeExchange, type FakeExchangeOptions } from '../../fake-exchange/fake-exchange.js';
import { sessionOf } from '../../fake-exchange/session.js';
import { GuidedError } from '../../../src/config/guided-error.js';
import { ExchangeClock } from '../../../src/ws-gateway/live/exchange-clock.js';
import { localMs } from '../../../src/ws-gateway/live/local-clock.js';
import { learnClock, openAccount, type OpenAccount } from '../../../src/ws-gateway/live/open-account.js';
import { RestClient } from '../../../src/ws-gateway/live/rest-client.js';

const session = sessionOf({ seed: 3, orders: 4, assets: 1 });

describe('opening an account', () => {
  let exchange: FakeExchange;
  let openedWith: ExchangeClock;
  let said: { level: string; message: string; fields: object }[];

  async function start(options: Partial<FakeExchangeOptions> = {}): Promise<void> {
    exchange = new FakeExchange({ session, ...options });
    await exchange.start();
  }

  beforeEach(() => { said = []; });
  afterEach(() => exchange.stop());

  async function open(key = exchange.accounts[0]!.key, secret = exchange.accounts[0]!.secret): Promise<OpenAccount> {
    const log = {
      info: (fields: object, message: string) => void said.push({ level: 'info', message, fields }),
      warn: (fields: object, message: string) => void said.push({ level: 'warn', message, fields }),
    };
    const clock = new ExchangeClock();
    openedWith = clock;
    const shared = {
      credentials: { account: null, key, secret }, target: { network: 'mainnet' as const, wsUrl: exchange.wsUrl, restUrl: exchange.restUrl }, clock,
      signal: new AbortController().signal, mostAttempts: 3, onRetry: () => undefined,
    };
    await learnClock(new RestClient(shared), clock, log);
    expect(Math.abs(clock.at(localMs()) - Date.now() - exchange.faults.clockAheadMs)).to.be.below(1_000);
    return openAccount({ ...shared, categories: ['linear', 'inverse'], log });
  }

  /** Message and next step of the refusal, and everything that could be printed of it. */
  async function refusal(opening: Promise<unknown>): Promise<string> {
    const error = await opening.then(() => null, (thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(GuidedError);
    const text = `${(error as GuidedError).message} | ${(error as GuidedError).nextStep}`;
    const everything = JSON.stringify([text, said, String((error as Error).stack), (error as Error).cause]);
    expect(everything).not.to.include(exchange.accounts[0]!.secret);
    expect(everything).not.to.include(exchange.accounts[0]!.key);
    return text;
  }

  it('takes the uid of the key as its name, and has nothing to say of a key that only reads', async () => {
    await start();
    const { account, rights } = await open();
    expect(account).to.equal('700001');
    expect(rights?.isReadOnly).to.equal(true);
    expect(said).to.deep.equal([]);
  });

  it('warns about a key that may trade or withdraw', async () => {
    await start({ readOnly: false, permissions: { ContractTrade: ['Order', 'Position'], Wallet: ['Withdraw'] } });
    await open();
    expect(said.map(({ message }) => message)).to.deep.equal(['the key may withdraw: replace it by a read-only one']);
  });

  it('refuses a wrong key, a wrong secret, and one of too few rights, each with what to do', async () => {
    await start();
    expect(await refusal(open('other'))).to.match(/does not accept the key: .*API key is invalid.*mainnet, testnet and demo/);
    expect(await refusal(open(undefined, 'other'))).to.match(/does not accept the key: .*Error sign/);
    await exchange.stop();
    await start({ permissions: { ContractTrade: ['Order'] } });
    expect(await refusal(open())).to.match(/may not read what is needed: .*Permission denied.*Orders, Positions/);
    exchange.faults.expiredUntilMs = Date.now() + 60_000;
    expect(await refusal(open())).to.include('has expired');
  });

  it('learns of a jump of the exchange\'s clock from what REST answers, whatever was asked', async () => {
    await start();
    const { rest } = await open();
    exchange.faults.clockAheadMs = 9_000;
    for (let i = 0; i < 3; i++) await rest.ask('key information', (client) => client.getQueryApiKey());
    expect(openedWith.at(localMs()) - Date.now()).to.be.within(8_000, 10_000);
  });

  it('goes on with a clock that is off by a minute, and says so in one line', async () => {
    for (const aheadMs of [60_000, -60_000]) {
      said = [];
      await start();
      exchange.faults.clockAheadMs = aheadMs;
      await open();
      expect(said).to.have.length(1);
      expect(said[0]!.message).to.match(/^the clock of this machine is (60|59\.\d+|60\.\d+) s (behind|ahead of) the exchange's/);
      expect(said[0]!.message).to.include(aheadMs > 0 ? 'behind' : 'ahead of');
      if (aheadMs > 0) await exchange.stop();
    }
  });

  it('says that nobody answers', async () => {
    await start();
    exchange.faults.brokenUntilMs = Date.now() + 60_000;
    expect(await refusal(open())).to.match(/does not answer: time: asked 3 times: HTTP status 503.*--rest-url/);
  });

  it('waits out a rate limit and a server error', async () => {
    await start();
    exchange.faults.brokenUntilMs = Date.now() + 150;
    exchange.faults.limitedUntilMs = Date.now() + 300;
    expect((await open().catch(() => open())).account).to.equal('700001');
  });
});
