import { createServer, type Server } from 'node:net';
import { expect } from 'chai';
import { FakeExchange } from '../../fake-exchange/fake-exchange.js';
import { sessionOf } from '../../fake-exchange/session.js';
import type { ClockSample } from '../../../src/ws-gateway/live/exchange-clock.js';
import { StreamConnection, type StreamEnd } from '../../../src/ws-gateway/live/stream-connection.js';

const TIMING = { pingEveryMs: 30, deadAfterMs: 120, readyWithinMs: 200, lookEveryMs: 10 };

/** One life of a connection, and what was told of it. */
class Life {
  readonly frames: { readonly text: string; readonly isTorn: boolean }[] = [];
  readonly samples: ClockSample[] = [];
  readonly ended: Promise<StreamEnd>;
  readonly connection: StreamConnection;
  isReady = false;
  lateEvents = 0;
  #hasEnded = false;

  constructor(wsUrl: string, key: string, secret: string) {
    let end: (end: StreamEnd) => void = () => undefined;
    this.ended = new Promise((resolve) => { end = resolve; });
    const note = (): void => {
      if (this.#hasEnded) this.lateEvents++;
    };
    this.connection = new StreamConnection({
      credentials: { account: null, key, secret }, target: { network: 'mainnet', wsUrl, restUrl: null }, clockOffsetMs: 0, timing: TIMING,
      events: {
        onReady: () => { note(); this.isReady = true; },
        onFrame: (text, _receivedMs, isTorn) => { note(); this.frames.push({ text, isTorn }); },
        onAlive: note,
        onClock: (sample) => { note(); this.samples.push(sample); },
        onEnd: (told) => { note(); this.#hasEnded = true; end(told); },
      },
    });
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('a connection to the private stream', () => {
  const rejections: unknown[] = [];
  const note = (reason: unknown): void => void rejections.push(reason);
  let exchange: FakeExchange;

  before(() => process.on('unhandledRejection', note));
  after(() => {
    process.off('unhandledRejection', note);
    expect(rejections, 'the library rejects nothing that nobody holds').to.deep.equal([]);
  });

  beforeEach(async () => {
    exchange = new FakeExchange({ session: sessionOf({ seed: 4, orders: 40, assets: 1, meanGapMs: 50, startTimeMs: Date.now() + 100 }) });
    await exchange.start();
  });
  afterEach(() => exchange.stop());

  const connect = (key = exchange.accounts[0]!.key, secret = exchange.accounts[0]!.secret): Life => new Life(exchange.wsUrl, key, secret);

  async function ready(): Promise<Life> {
    const life = connect();
    await until(() => life.isReady);
    return life;
  }

  it('brings frames as they were sent, and the time of the exchange', async () => {
    exchange.faults.clockAheadMs = 5_000;
    const life = await ready();
    await until(() => life.frames.length > 2 && life.samples.length > 1);
    expect(life.frames.every(({ text, isTorn }) => !isTorn && (JSON.parse(text) as { topic: string }).topic !== '')).to.equal(true);
    for (const { sentMs, receivedMs, serverMs } of life.samples) {
      expect(receivedMs).to.be.at.least(sentMs);
      expect(Math.abs(serverMs - Date.now() - 5_000)).to.be.below(2_000);
    }
    life.connection.close();
    expect(await life.ended).to.deep.include({ kind: 'stopped' });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(life.lateEvents).to.equal(0);
  });

  it('that gives no sign of life ends, though nothing closed it', async () => {
    const life = await ready();
    exchange.stream.silence();
    expect(await life.ended).to.deep.equal({ kind: 'silent', message: 'no sign of life for 0.12 s' });
  });

  it('ends when it is cut, closed, or torn in a frame', async () => {
    const cut = await ready();
    exchange.stream.drop();
    expect((await cut.ended).kind).to.equal('closed');
    const closed = await ready();
    exchange.stream.close();
    expect((await closed.ended).kind).to.equal('closed');
    const torn = await ready();
    exchange.tear();
    expect((await torn.ended).kind).to.equal('torn');
    expect(torn.frames.at(-1)?.isTorn).to.equal(true);
  });

  it('ends when it is cut at once, before it could say who it is', async () => {
    for (let i = 0; i < 5; i++) {
      exchange.faults.refuseUntilMs = Date.now() + 10_000;
      expect((await connect().ended).kind).to.equal('closed');
    }
  });

  it('that the exchange does not want is refused, without a word of the key', async () => {
    for (const life of [connect('other'), connect(undefined, 'other')]) {
      const { kind, message } = await life.ended;
      expect(kind).to.equal('refused');
      expect(message).to.match(/API key is invalid|Invalid sign/);
    }
    exchange.faults.expiredUntilMs = Date.now() + 10_000;
    expect(await connect().ended).to.deep.equal({ kind: 'refused', message: 'Your api key has expired.' });
  });

  it('ends where nobody listens, and where somebody listens and never answers', async () => {
    const deaf: Server = createServer((socket) => void socket.on('error', () => undefined).resume());
    const port = await new Promise<number>((resolve) => deaf.listen(0, '127.0.0.1', () => resolve((deaf.address() as { port: number }).port)));
    expect((await new Life(`ws://127.0.0.1:${port}/v5/private`, 'k', 's').ended).kind).to.equal('silent');
    await new Promise((resolve) => deaf.close(resolve));
    const { kind, message } = await new Life(`ws://127.0.0.1:${port}/v5/private`, 'k', 's').ended;
    expect(kind).to.equal('closed');
    expect(message).to.include('ECONNREFUSED');
  });
});
