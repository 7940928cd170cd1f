import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { COMMAND_GROUPS } from '../../../src/cli/command-groups.js';
import { runCommandLine } from '../../../src/cli/run-command-line.js';
import { canonicalJson } from '../../../src/domain/canonical-json.js';
import { removeNamespace, stackEnvironment, temporaryNamespace } from '../../cli/temporary-namespace.js';
import { run } from '../../e2e/pipeline.js';
import { FakeExchange } from '../../fake-exchange/fake-exchange.js';
import { sessionOf } from '../../fake-exchange/session.js';
import { until } from '../../kafka/live.js';
import { replaySession, tablesOf } from '../../replay/replay-session.js';
import { scenario } from '../../simulator/scenarios.js';
import { judge } from '../../truth/judge.js';

type FrameRows = readonly Readonly<Record<string, unknown>>[];

/** Rows that came on the stream, by what names their frames; ids of frames are not unique. Frames without rows only carry the time on. */
function streamRows(path: string): Map<string, FrameRows> {
  const rows = new Map<string, FrameRows>();
  for (const line of readFileSync(path, 'utf8').trim().split('\n')) {
    const { source, frame } = JSON.parse(line) as { source?: string; frame: { topic: string; id?: string; creationTime: number; data: FrameRows } };
    const name = `${frame.creationTime} ${frame.topic} ${frame.id}`;
    if ((source === undefined || source === 'stream') && frame.data.length > 0) rows.set(name, [...(rows.get(name) ?? []), ...frame.data]);
  }
  return rows;
}

/** Absent and empty are one; of a fee a topic holds how much, in which coin, and what for. */
function plain(row: FrameRows[number]): FrameRows[number] {
  const fees = row['extraFees'];
  if (!Array.isArray(fees)) return { parentOrderLinkId: '', ...row };
  return { parentOrderLinkId: '', ...row, extraFees: fees.length === 0 ? '' : canonicalJson((fees as Record<string, unknown>[]).map(({ fee, feeCoin, feeType }) => ({ fee, feeCoin, feeType }))) };
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('commands that look at the exchange', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'record-'));
  let exchange: FakeExchange;
  afterEach(() => exchange.stop());
  after(() => rmSync(folder, { recursive: true }));

  async function command(argv: readonly string[], signal = new AbortController().signal, secret = exchange.accounts[0]!.secret): Promise<Ended> {
    let stdout = '';
    let stderr = '';
    const code = await runCommandLine(COMMAND_GROUPS, [...argv, '--ws-url', exchange.wsUrl, '--rest-url', exchange.restUrl], {
      stdout: (text) => (stdout += text), stderr: (text) => (stderr += text), signal, env: { ...process.env, ...stackEnvironment(), BYBIT_API_KEY: exchange.accounts[0]!.key, BYBIT_API_SECRET: secret },
    });
    expect(`${stdout}${stderr}`).not.to.include(exchange.accounts[0]!.secret);
    return { code, stdout, stderr };
  }

  it('record: a session that was cut off three times is whole in the capture', async () => {
    const startTimeMs = Date.now() + 1_000;
    const session = sessionOf({ ...scenario('active', 8, { orders: 40, meanGapMs: 60 }), startTimeMs });
    exchange = new FakeExchange({ session });
    await exchange.start();
    const path = join(folder, 'session.jsonl.gz');
    const stop = new AbortController();
    const recording = command(['record', '--out', path, '--settle-ms', '200', '--lookback-ms', '0', '--log-level', 'silent', '--json'], stop.signal);
    for (const shareOfIt of [0.2, 0.4, 0.6]) {
      await pause(Math.max(0, startTimeMs + (session.endMs - startTimeMs) * shareOfIt - Date.now()));
      exchange.stream.drop();
    }
    await until('all is sent and heard', () => exchange.progress.sent === exchange.progress.of && exchange.stream.listeners(0) === 1);
    await pause(2_000);
    stop.abort();
    const { code, stdout } = await recording;
    expect(code).to.equal(0);
    expect(JSON.parse(stdout)).to.deep.include({ files: [path] });
    expect(exchange.unheard.length, 'something was lost on the stream').to.be.greaterThan(0);
    const result = await replaySession({ path });
    expect(judge(tablesOf(result), session.truth, { policy: 'pro-rata' })).to.deep.equal([]);
  });

  it('record of the socket and capture of the topics agree: the same frames, and the same truth', async () => {
    const namespace = temporaryNamespace('agree');
    await run('setup', '--namespace', namespace, '--partitions', '2');
    // Time for both to connect, before anything happens.
    const startTimeMs = Date.now() + 5_000;
    const session = sessionOf({ ...scenario('active', 9, { orders: 60, meanGapMs: 50 }), startTimeMs });
    exchange = new FakeExchange({ session });
    await exchange.start();
    const recorded = join(folder, 'recorded.jsonl');
    const captured = join(folder, 'captured.jsonl');
    const stop = new AbortController();
    const words = ['--settle-ms', '200', '--lookback-ms', '0', '--log-level', 'silent'];
    try {
      const recording = command(['record', '--out', recorded, ...words], stop.signal);
      const gateway = command(['run', 'ws-gateway', '--namespace', namespace, '--spool-dir', join(folder, 'spool'), ...words], stop.signal);
      await until('both listen', () => exchange.stream.listeners(0) === 2);
      await until('all is sent', () => exchange.progress.sent === exchange.progress.of);
      await pause(1_500);
      stop.abort();
      expect((await recording).code).to.equal(0);
      expect((await gateway).code).to.equal(0);
      expect(exchange.unheard).to.deep.equal([]);
      await run('capture', '--out', captured, '--namespace', namespace);
      const frames = streamRows(recorded);
      expect(frames.size).to.be.greaterThan(300);
      const back = streamRows(captured);
      expect([...back.keys()].sort()).to.deep.equal([...frames.keys()].sort());
      // A topic holds the fields that anything is made of; each of them as it was.
      for (const [name, rows] of back) {
        const whole = frames.get(name)!;
        expect(rows.length, name).to.equal(whole.length);
        rows.forEach((row, index) => expect(plain(whole[index]!), name).to.include(plain(row)));
      }
      for (const path of [recorded, captured]) expect(judge(tablesOf(await replaySession({ path })), session.truth, { policy: 'pro-rata' }), path).to.deep.equal([]);
    } finally {
      await removeNamespace(stackEnvironment(), namespace);
    }
  });

  it('doctor: one screen, exit code 0 if all is well, 3 if something is not', async () => {
    const namespace = temporaryNamespace('doctor');
    exchange = new FakeExchange({ session: sessionOf({ seed: 1, orders: 20, assets: 2, startTimeMs: Date.now() - 3_600_000 }), readOnly: false });
    await exchange.start();
    try {
      expect((await command(['doctor', '--namespace', namespace])).code).to.equal(3);
      let stderr = '';
      await runCommandLine(COMMAND_GROUPS, ['setup', '--namespace', namespace, '--partitions', '1'], { stdout: () => undefined, stderr: (text) => (stderr += text), signal: new AbortController().signal, env: { ...process.env, ...stackEnvironment() } });
      const well = await command(['doctor', '--namespace', namespace, '--json']);
      expect(well.code, `${stderr}${well.stdout}`).to.equal(0);
      const { findings } = JSON.parse(well.stdout) as { findings: { what: string; state: string; detail: string }[] };
      const of = (what: string): string | undefined => findings.find((finding) => finding.what === what)?.detail;
      expect(of('key of 700001')).to.include('may trade');
      expect(of('clock')).to.match(/this machine is \d+ ms/);
      expect(of('ws-gateway.order')).to.include('complete up to nothing yet');
      const screen = await command(['doctor', '--namespace', namespace]);
      expect(screen.stdout.split('\n').length).to.be.below(25);
      const wrong = await command(['doctor', '--namespace', namespace], undefined, 'wrong');
      expect(wrong.code).to.equal(3);
      expect(wrong.stdout).to.include('does not accept the key');
    } finally {
      await removeNamespace(stackEnvironment(), namespace);
    }
  });
});
