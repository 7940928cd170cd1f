/** Quote coins of spot pairs, longest first where one ends with another. */
const SPOT_QUOTES = ['USDT', 'USDC', 'USDE', 'USDQ', 'USDR', 'USD1', 'DAI', 'EUR', 'BRL', 'PLN', 'TRY', 'MNT', 'SOL', 'BTC', 'ETH'];

/**
 * The coin a market's results and fees are summed in: linear contracts their quote coin (USDT where the symbol names it,
 * else USDC), inverse contracts the base coin, options USDT or USDC, spot pairs the quote coin. Empty where the symbol does
 * not tell.
 */
export function settleCoin(category: string, asset: string): string {
  switch (category) {
    case 'linear':
      return /USDT(-|$)/.test(asset) ? 'USDT' : 'USDC';
    case 'inverse':
      return /^(.+?)USD/.exec(asset)?.[1] ?? '';
    case 'option':
      return asset.endsWith('-USDT') ? 'USDT' : 'USDC';
    case 'spot':
      return SPOT_QUOTES.find((coin) => asset.length > coin.length && asset.endsWith(coin)) ?? '';
    default:
      return '';
  }
}

/** Whether an amount in `coin` adds up with amounts in `settle`; a coin that is not told is the settle coin. */
export function sameCoin(coin: string, settle: string): boolean {
  return coin === '' || coin === settle;
}
