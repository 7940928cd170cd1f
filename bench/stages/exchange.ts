/*
 * An exchange in a process of its own: says where it is in one line of JSON, plays a session at its pace once somebody listens,
 * and stays until it is told to end.
 *
 *   node --import tsx bench/stages/exchange.ts --rate FRAMES_A_SECOND --seconds N --assets N
 */
import { parseArgs } from 'node:util';
import { FakeExchange } from '../../test/fake-exchange/fake-exchange.js';
import { sessionOf } from '../../test/fake-exchange/session.js';
import { RECORDS_AN_ORDER } from './session.js';

const { values } = parseArgs({ options: { rate: { type: 'string', default: '500' }, seconds: { type: 'string', default: '20' }, assets: { type: 'string', default: '200' } } });
const rate = Number(values.rate);
const seconds = Number(values.seconds);
const orders = Math.ceil((rate * seconds) / RECORDS_AN_ORDER);
/** Making the session takes its time; and a gateway takes a moment to connect and to close its first gap. */
const CONNECT_MS = 6_000;
const options = { seed: 2, assets: Number(values.assets), orders, meanGapMs: (1_000 * RECORDS_AN_ORDER) / rate };
const madeMs = Date.now();
sessionOf({ ...options, startTimeMs: madeMs });
const takesMs = Date.now() - madeMs;
const session = sessionOf({ ...options, startTimeMs: Date.now() + 2 * takesMs + CONNECT_MS });
const exchange = new FakeExchange({ session, requestsPerSecond: 1_000 });
await exchange.start();
const [account] = exchange.accounts;
process.stdout.write(`${JSON.stringify({ wsUrl: exchange.wsUrl, restUrl: exchange.restUrl, key: account?.key, secret: account?.secret, frames: session.frames.length, endMs: session.endMs })}\n`);
process.once('SIGTERM', () => process.exit(0));
