import { newMarket, type Market } from './market.js';

/** The markets of a task by (account, category, asset). Neighbouring records mostly belong to one market. */
export class MarketIndex {
  private readonly byAsset = new Map<string, Market[]>();
  private last: Market | null = null;

  get(account: string, category: string, asset: string): Market {
    const { last } = this;
    if (last !== null && last.asset === asset && last.account === account && last.category === category) return last;
    const same = this.byAsset.get(asset);
    let market = same?.find((one) => one.account === account && one.category === category);
    if (market === undefined) {
      market = newMarket(account, category, asset);
      if (same === undefined) this.byAsset.set(asset, [market]);
      else same.push(market);
    }
    this.last = market;
    return market;
  }

  /** Forgets a market of which nothing is kept. */
  dropIfEmpty(market: Market): void {
    if (market.orders.size > 0 || market.executions.size > 0 || market.archived > 0) return;
    const rest = (this.byAsset.get(market.asset) ?? []).filter((one) => one !== market);
    if (rest.length === 0) this.byAsset.delete(market.asset);
    else this.byAsset.set(market.asset, rest);
    if (this.last === market) this.last = null;
  }
}
