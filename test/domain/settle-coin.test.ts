import { expect } from 'chai';
import { sameCoin, settleCoin } from '../../src/domain/settle-coin.js';

describe('settle coin of a market', () => {
  const cases: readonly [string, string, string][] = [
    ['linear', 'BTCUSDT', 'USDT'],
    ['linear', 'BTCUSDT-29DEC23', 'USDT'],
    ['linear', 'BTCPERP', 'USDC'],
    ['linear', 'BTC-29MAR24', 'USDC'],
    ['inverse', 'BTCUSD', 'BTC'],
    ['inverse', 'ETHUSDM25', 'ETH'],
    ['option', 'BTC-29MAR24-50000-C', 'USDC'],
    ['option', 'BTC-29MAR24-50000-C-USDT', 'USDT'],
    ['spot', 'BTCUSDT', 'USDT'],
    ['spot', 'ETHBTC', 'BTC'],
    ['spot', 'XYZ', ''],
  ];
  for (const [category, asset, coin] of cases) {
    it(`${category} ${asset}: ${coin || 'not told'}`, () => {
      expect(settleCoin(category, asset)).to.equal(coin);
    });
  }

  it('takes an amount without a coin as one in the settle coin', () => {
    expect([sameCoin('', 'USDT'), sameCoin('USDT', 'USDT'), sameCoin('MNT', 'USDT')]).to.deep.equal([true, true, false]);
  });
});
