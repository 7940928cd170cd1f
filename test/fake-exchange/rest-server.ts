import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { signatureOf, type ExchangeAccount } from './exchange-account.js';
import type { Faults } from './faults.js';
import { executions, openOrders, orderHistory, positions, transactionLog, type RestAnswer, type RestView } from './rest-answers.js';

const ENDPOINTS: Readonly<Record<string, { readonly permission: string; readonly answer: (view: RestView, query: URLSearchParams) => RestAnswer }>> = {
  '/v5/order/realtime': { permission: 'Order', answer: openOrders },
  '/v5/order/history': { permission: 'Order', answer: orderHistory },
  '/v5/execution/list': { permission: 'Order', answer: executions },
  '/v5/position/list': { permission: 'Position', answer: positions },
  '/v5/account/transaction-log': { permission: 'Position', answer: transactionLog },
};

export interface RestServerOptions {
  readonly accounts: readonly ExchangeAccount[];
  readonly faults: Faults;
  /** The exchange's clock. */
  readonly nowMs: () => number;
  /** The session's clock: what happened until then can be shown. */
  readonly sessionMs: () => number;
  /** Requests a second each account may send to one endpoint. */
  readonly requestsPerSecond: number;
}

/** The REST endpoints that the gateway uses, with signatures, pages, time windows and rate limits. */
export class RestServer {
  readonly http: Server;
  /** Requests by path, refused ones included. */
  readonly requests = new Map<string, number>();
  readonly #options: RestServerOptions;
  readonly #windows = new Map<string, { readonly second: number; count: number }>();

  constructor(options: RestServerOptions) {
    this.#options = options;
    this.http = createServer((request, response) => this.#answer(request, response));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const [path = '', search = ''] = (request.url ?? '').split('?');
    this.requests.set(path, (this.requests.get(path) ?? 0) + 1);
    const { faults, nowMs } = this.#options;
    const machineMs = Date.now();
    if (machineMs < faults.brokenUntilMs) {
      response.writeHead(503, { 'content-type': 'text/plain' }).end('Service Unavailable');
      return;
    }
    const time = nowMs();
    if (path === '/v5/market/time') {
      this.#send(response, { kind: 'result', result: { timeSecond: String(Math.floor(time / 1_000)), timeNano: `${time}000000` } });
      return;
    }
    const account = this.#options.accounts.find(({ key }) => key === request.headers['x-bapi-api-key']);
    const refusal = this.#refusal(request, account, path, search, time);
    if (refusal !== null || account === undefined) {
      this.#send(response, refusal ?? { kind: 'refused', code: 10003, message: 'API key is invalid.' });
      return;
    }
    const limit = this.#limit(account, path, machineMs);
    const headers = { 'x-bapi-limit': String(this.#options.requestsPerSecond), 'x-bapi-limit-status': String(limit.remaining), 'x-bapi-limit-reset-timestamp': String(limit.resetMs) };
    if (limit.isExceeded) {
      this.#send(response, { kind: 'refused', code: 10006, message: 'Too many visits. Exceeded the API Rate Limit.' }, headers);
      return;
    }
    if (path === '/v5/user/query-api') {
      this.#send(response, { kind: 'result', result: keyInfo(account) }, headers);
      return;
    }
    const view = { history: account.history, nowMs: time, shownMs: this.#options.sessionMs() - faults.restLagMs };
    this.#send(response, ENDPOINTS[path]?.answer(view, new URLSearchParams(search)) ?? { kind: 'refused', code: 10001, message: `no endpoint ${path}` }, headers);
  }

  #refusal(request: IncomingMessage, account: ExchangeAccount | undefined, path: string, search: string, time: number): RestAnswer | null {
    const headers = request.headers;
    const timestamp = String(headers['x-bapi-timestamp']);
    const window = String(headers['x-bapi-recv-window']);
    if (account === undefined) return { kind: 'refused', code: 10003, message: 'API key is invalid.' };
    if (headers['x-bapi-sign'] !== signatureOf(account.secret, `${timestamp}${account.key}${window}${search}`)) return { kind: 'refused', code: 10004, message: 'Error sign, please check your signature generation algorithm.' };
    if (Number(timestamp) > time + 1_000 || Number(timestamp) < time - Number(window)) {
      return { kind: 'refused', code: 10002, message: `invalid request, please check your server timestamp or recv_window param. req_timestamp[${timestamp}],server_timestamp[${time}],recv_window[${window}]` };
    }
    if (Date.now() < this.#options.faults.expiredUntilMs) return { kind: 'refused', code: 33004, message: 'Your api key has expired.' };
    const needed = ENDPOINTS[path]?.permission;
    if (needed !== undefined && account.permissions['ContractTrade']?.includes(needed) !== true) return { kind: 'refused', code: 10005, message: 'Permission denied, please check your API key permissions.' };
    return null;
  }

  #limit(account: ExchangeAccount, path: string, machineMs: number): { readonly isExceeded: boolean; readonly remaining: number; readonly resetMs: number } {
    const { requestsPerSecond, faults } = this.#options;
    const key = `${account.key} ${path}`;
    const second = Math.floor(machineMs / 1_000);
    let window = this.#windows.get(key);
    if (window?.second !== second) this.#windows.set(key, (window = { second, count: 0 }));
    window.count++;
    const resetMs = (second + 1) * 1_000 + this.#options.faults.clockAheadMs;
    const isExceeded = window.count > requestsPerSecond || machineMs < faults.limitedUntilMs;
    return { isExceeded, remaining: Math.max(0, requestsPerSecond - window.count), resetMs };
  }

  #send(response: ServerResponse, answer: RestAnswer, headers: Record<string, string> = {}): void {
    const body = answer.kind === 'result' ? { retCode: 0, retMsg: 'OK', result: answer.result } : { retCode: answer.code, retMsg: answer.message, result: {} };
    response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ ...body, retExtInfo: {}, time: this.#options.nowMs() }));
  }
}

function keyInfo({ userId, key, readOnly, permissions }: ExchangeAccount): object {
  return { id: '1', note: 'test', apiKey: key, readOnly: readOnly ? 1 : 0, secret: '', permissions, ips: ['*'], type: 1, deadlineDay: 66, expiredAt: '2099-01-01T00:00:00Z', userID: userId, unified: 0, uta: 1, isMaster: true };
}
