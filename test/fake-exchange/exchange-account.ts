import { createHmac } from 'node:crypto';
import type { AccountHistory } from './session.js';

/** One account of the exchange with its key. */
export interface ExchangeAccount {
  readonly userId: number;
  readonly key: string;
  readonly secret: string;
  readonly readOnly: boolean;
  readonly permissions: Readonly<Record<string, readonly string[]>>;
  readonly history: AccountHistory;
}

export const READING: Readonly<Record<string, readonly string[]>> = { ContractTrade: ['Order', 'Position'], Spot: [], Wallet: [], Options: [] };

export function signatureOf(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('hex');
}
