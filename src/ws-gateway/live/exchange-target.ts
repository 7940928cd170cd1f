/** Which exchange: one of the three of the client library, or addresses of one's own. */
export interface ExchangeTarget {
  readonly network: 'mainnet' | 'testnet' | 'demo';
  /** Instead of the network's own; null: the network's. */
  readonly wsUrl: string | null;
  readonly restUrl: string | null;
}

/** Where that is, for a person to read. */
export function shownTarget({ network, wsUrl, restUrl }: ExchangeTarget): string {
  if (wsUrl === null && restUrl === null) return network;
  return [wsUrl === null ? `${network} (stream)` : bareUrl(wsUrl), restUrl === null ? `${network} (REST)` : bareUrl(restUrl)].join(', ');
}

/** Without a name and password that it may hold. */
function bareUrl(text: string): string {
  const url = new URL(text);
  return `${url.protocol}//${url.host}${url.pathname === '/' ? '' : url.pathname}`;
}
