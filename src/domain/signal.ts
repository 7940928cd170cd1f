/**
 * The signal behind an order: a model's prediction travels in the client order id. By default the signal id is all of the
 * client id but a trailing `_<digits>`, which numbers several orders of one signal.
 */
export type SignalOf = (orderLinkId: string) => string | null;

/** First group = signal id. */
export const DEFAULT_SIGNAL_PATTERN = '^(.*?)(?:_[0-9]+)?$';

/**
 * Compiles a pattern whose first group is the signal id. The result gives null for a client id that is empty, does not
 * match, or leaves the group empty: such an order has no signal. Throws SyntaxError on a pattern that is no regular expression.
 */
export function signalReader(pattern: string = DEFAULT_SIGNAL_PATTERN): SignalOf {
  const expression = new RegExp(pattern);
  return (orderLinkId) => {
    if (orderLinkId === '') return null;
    const signal = expression.exec(orderLinkId)?.[1];
    return signal === undefined || signal === '' ? null : signal;
  };
}
