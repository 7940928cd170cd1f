import { decimalText, ONE, type Fixed } from './fixed.js';
import type { Random } from './random.js';

/** A contract: quantities count lots of 10^-lotDecimals, prices count ticks of 10^-tickDecimals. */
export interface Instrument {
  readonly symbol: string;
  readonly category: 'linear' | 'inverse';
  /** Settle coin, in which fees and PnL are paid. */
  readonly coin: string;
  readonly lotDecimals: number;
  readonly tickDecimals: number;
  /** Price at the beginning of the session, in ticks. */
  readonly firstTicks: number;
  readonly largestLots: number;
}

const COINS = ['BTC', 'ETH', 'SOL', 'XRP', 'ADA', 'DOGE', 'LTC', 'DOT'];

export function makeInstrument(index: number, inverse: boolean, varied: boolean, random: Random): Instrument {
  const coin = COINS[index] ?? `C${index}`;
  const tickDecimals = varied ? random.int(0, 6) : 1;
  const lotDecimals = inverse ? 0 : varied ? random.int(0, 5) : 3;
  return {
    symbol: inverse ? `${coin}USD` : `${coin}USDT`,
    category: inverse ? 'inverse' : 'linear',
    coin: inverse ? coin : 'USDT',
    lotDecimals,
    tickDecimals,
    firstTicks: random.int(1000, 60000),
    largestLots: varied ? random.pick([9, 40, 700, 25000]) : 40,
  };
}

export function quantityOf(instrument: Instrument, lots: number): Fixed {
  return BigInt(lots) * 10n ** BigInt(36 - instrument.lotDecimals);
}

export function priceOf(instrument: Instrument, ticks: number): Fixed {
  return BigInt(ticks) * 10n ** BigInt(36 - instrument.tickDecimals);
}

/** Notional in the settle coin: quantity times price; inverse contracts quantity / price. Quantity may be signed. */
export function notional(inverse: boolean, quantity: Fixed, price: Fixed): Fixed {
  return inverse ? (quantity * ONE) / price : (quantity * price) / ONE;
}

export function lotsText(instrument: Instrument, lots: number): string {
  return decimalText(lots, instrument.lotDecimals);
}

export function ticksText(instrument: Instrument, ticks: number): string {
  return decimalText(ticks, instrument.tickDecimals);
}
