import { formatDecimal } from '../domain/decimal.js';
import type { Equation } from '../explain/equation.js';
import type { LotOpening } from '../explain/lot-book.js';
import type { LinkStory, RevisionStory } from '../explain/link-story.js';
import type { BookStory, CashStory, CycleStory, DiscrepancyStory, FillStory, SignalResult, Story } from '../explain/story.js';
import { CAUSE_WORDS, EVIDENCE_WORDS, executionText, inputText, number, orderMessageText, placeText, REASON_WORDS, signalText, signed, time } from './explain-words.js';
import { plainText } from './text-table.js';

const LABEL_WIDTH = 10;

/** The evidence chain in words. */
export function explainText(stories: readonly Story[]): string {
  const lines = stories.flatMap((story) => [...heading(story), ...(story.subject.kind === 'asset' ? story.books.flatMap(bookLines) : []), ...orderLines(story), ...story.fills.flatMap(fillLines), ...story.cash.flatMap(cashLines),
    ...story.links.flatMap((link) => ['', ...linkLines(link)]), ...story.cycles.flatMap((cycle) => ['', ...cycleLines(cycle)]), ...story.discrepancies.flatMap((row) => ['', ...discrepancyLines(row)]), '']);
  return `${lines.map(plainText).join('\n')}`;
}

/** A label and lines under each other. */
function block(label: string, texts: readonly string[]): string[] {
  return texts.map((text, index) => `  ${(index === 0 ? label : '').padEnd(LABEL_WIDTH)}${text}`);
}

function heading({ subject: { kind, id, asset }, policy }: Story): string[] {
  const name = kind === 'asset' ? asset : `${kind} ${id ?? 'unattributed'} of ${asset}`;
  return [`${name} (closing quantity is taken ${policy === 'fifo' ? 'from the closing order\'s own signal, then first in, first out' : 'from all lots in proportion'})`];
}

function bookLines({ account, category, position_idx, cycles, open, open_lots, position, equation, total, evidence }: BookStory): string[] {
  const shown = position === null ? 'no position update' : `${number(position.update.size)} at seq ${position.update.seq}, realised ${number(position.update.cum_realised_pnl)}, ${time(position.update.updated_at)} (${placeText(position.place)})`;
  return [
    '', `book ${account} ${category} index ${position_idx}: ${cycles} ${cycles === 1 ? 'cycle' : 'cycles'}`,
    ...block('exchange', [shown]),
    ...block('open', [open === null ? 'nothing' : `${open.side === 'Sell' ? 'short' : 'long'} ${number(open.size)} at ${number(open.average_entry_price)} since ${time(open.opened_at)}, position ${open.position_id}`]),
    ...block('lots', open_lots.map(({ signal_id, quantity }) => `${number(quantity)} of ${signalText(signal_id)}`)),
    ...equationLines(equation),
    ...block('total', [`results of all signals ${signed(total.results)}, the exchange's realised PnL moved by ${signed(total.exchange)} since the first cycle`]),
    ...block('evidence', [Object.entries(evidence).map(([name, count]) => `${name} ${count}`).join(', ') || 'no links']),
  ];
}

function orderLines({ orders, executions }: Story): string[] {
  return [
    ...orders.flatMap(({ order, messages }) => [
      '', `order ${order.order_id}: ${order.side} ${number(order.quantity)} ${order.order_type}, ${order.status === '' ? 'known by its executions only' : order.status}, filled ${number(order.filled_quantity)} at ${number(order.average_price)}, ${signalText(order.signal_id)}`,
      ...block('messages', messages.map(({ place, message }) => `${time(message.updated_at)}  ${orderMessageText(message)} (${placeText(place)})`)),
    ]),
    ...block('rows', executions.map(({ place, row }) => `${time(row.executed_at)}  ${executionText(row)} (${placeText(place)})`)),
  ];
}

function fillLines({ fill, inputs, issues }: FillStory): string[] {
  const source = fill.source === 'execution' ? `execution ${fill.exec_id}` : `from the order's totals, the part ${number(fill.from_quantity)} to ${number(fill.to_quantity)} that no execution covers${fill.first_seen ? ', executed before the order was first seen' : ''}`;
  return [
    ...block('fill', [`${fill.side} ${number(fill.quantity)} at ${number(fill.price)}, fee ${number(fill.fee)}: ${source}${issues > 1 ? `; issued ${issues} times` : ''}`]),
    ...block('', inputs.map((input) => `rests on ${placeText(input)}: ${inputText(input.topic, input.row)}`)),
  ];
}

function cashLines({ cash, inputs, shares }: CashStory): string[] {
  return [
    '', `${time(cash.occurred_at)}  ${cash.kind} ${number(cash.amount)} ${cash.currency} ${cash.amount < 0n ? 'received' : 'paid'}, ${cash.seq === null ? 'no seq' : `seq ${cash.seq}`}`,
    ...block('inputs', inputs.map((input) => `${placeText(input)}: ${inputText(input.topic, input.row)}`)),
    ...block('split', shares.length === 0 ? ['over nothing: no cycle had begun'] : shares.map(({ signal_id, position_id, funding }) => `${number(funding)} for ${signalText(signal_id)} in position ${position_id}`)),
  ];
}

export function linkLines({ link, inputs, equation, checks, lots, results, revisions }: LinkStory): string[] {
  const who = [link.order_id === null ? 'no order' : `order ${link.order_id}`, ...(link.exec_id === null ? [] : [`execution ${link.exec_id}`]), signalText(link.signal_id), `position ${link.position_id}`];
  const several = link.candidates === null || link.candidates < 2 ? '' : ` (${link.candidates} of them)`;
  return [
    `${time(link.executed_at)}  ${link.relationship_type} ${link.side === 'Sell' ? 'short' : 'long'}: ${number(link.size_before)} → ${number(link.size_after)} (${signed(link.size_delta)}) at ${link.execution_price === null ? 'no known price' : number(link.execution_price)}, fee ${number(link.execution_fee)}`,
    ...block('link', [`${link.id}, leg ${link.leg}, ${link.seq === null ? 'no seq' : `seq ${link.seq}`}`]),
    ...block('of', [who.join(', ')]),
    ...block('inputs', inputs.map((input) => `${placeText(input)}: ${inputText(input.topic, input.row)}`)),
    ...equationLines(equation),
    ...block('evidence', [`${link.evidence}: ${EVIDENCE_WORDS[link.evidence]}${several}`]),
    ...block('checks', checks.length === 0 ? ['none: the exchange told nothing more to compare with'] : checks.map(({ name, expected, actual, agrees }) => `${name}: exchange ${formatDecimal(expected)}, derived ${formatDecimal(actual)}: ${agrees ? 'agrees' : 'DISAGREES'}`)),
    ...block('lots', lotLines({ lots, results })),
    ...revisionLines(revisions),
  ];
}

function lotLines({ lots, results }: Pick<LinkStory, 'lots' | 'results'>): string[] {
  return [
    ...results.filter(({ kind }) => kind === 'entry').map(({ quantity, price, signal_id }) => `adds ${number(quantity)} at ${number(price)} for ${signalText(signal_id)}`),
    ...lots.map((lot) => `takes ${number(lot.quantity)} of the ${number(lot.of_quantity)} of ${signalText(lot.signal_id)}, ${openedText(lot.opened_by)}`),
    ...results.filter(({ kind }) => kind !== 'entry').map(({ quantity, signal_id, realized_pnl, fee, exit_reason, exit_signal_id }) => {
      const closer = exit_signal_id === null || exit_signal_id === signal_id ? '' : `, closed by an order of signal ${exit_signal_id}`;
      return `${signalText(signal_id)}: ${signed(realized_pnl)} gross on ${number(quantity)}, fee ${number(fee)}${exit_reason === null ? '' : `, ${exit_reason}`}${closer}`;
    }),
  ];
}

function openedText(openings: readonly LotOpening[]): string {
  const [first] = openings;
  if (first === undefined) return 'opened before what is known';
  const at = `opened ${time(first.executed_at)} at ${number(first.price)} by ${first.order_id === null ? 'no known order' : `order ${first.order_id}`}`;
  return openings.length === 1 ? at : `${at}, and ${openings.length - 1} more ${openings.length === 2 ? 'leg' : 'legs'}`;
}

export function equationLines(equation: Equation | null): string[] {
  if (equation === null) return block('size', ['no position update to compare with']);
  const { size, money } = equation;
  const from = size.from === null ? 'before the first update: 0' : `${number(size.from.size)} at seq ${size.from.seq}`;
  const changes = size.changes.length === 0 ? 'no change' : size.changes.map(({ size_delta }) => signed(size_delta)).join(' ');
  const exchange = money.exchange === null ? 'the exchange told no figure to compare with' : `the exchange realised ${signed(money.exchange)}${money.difference === null ? '' : `, difference ${number(money.difference)}`}`;
  return [
    ...block('size', [`${from}, ${changes} = ${number(size.size_before + size.sum)}; shown ${number(size.to.size)} at seq ${size.to.seq}: ${size.holds ? 'holds' : 'DOES NOT HOLD'}`]),
    ...block('money', [`results ${signed(money.results)} (gross ${signed(money.realized_pnl)}, fees ${number(money.fees)}, funding ${number(money.funding)}); ${exchange}`]),
  ];
}

export function revisionLines(revisions: readonly RevisionStory[]): string[] {
  return block('history', revisions.map(({ revision, reason, retracted, known_at, place, changes, new_inputs }) => {
    const what = changes.map(({ column, from, to }) => `${column} ${valueText(from)} → ${valueText(to)}`).join(', ');
    const came = new_inputs.length === 0 ? '' : `; came with ${new_inputs.map(placeText).join(', ')}`;
    return `${retracted ? 'taken away' : `revision ${revision}`}, ${time(known_at)}: ${REASON_WORDS[reason] ?? reason}${what === '' ? '' : `: ${what}`}${came} (${placeText(place)})`;
  }));
}

function valueText(value: unknown): string {
  if (typeof value === 'bigint') return number(value);
  return value === null || value === undefined || value === '' ? 'nothing' : String(value);
}

function cycleLines({ cycle, results, revisions }: CycleStory): string[] {
  const side = cycle.side === 'Sell' ? 'short' : 'long';
  const state = cycle.closed_at === null ? `open, ${number(cycle.size)} at ${number(cycle.average_entry_price)}` : `closed ${time(cycle.closed_at)} at ${number(cycle.exit_price)} on average`;
  const net = cycle.realized_pnl === null ? null : cycle.realized_pnl - cycle.fees - cycle.funding;
  return [
    `position ${cycle.position_id}: ${side} since ${time(cycle.opened_at)}, largest ${number(cycle.max_size)}, ${state}`,
    ...block('seq', [`${cycle.first_seq ?? 'before the recording'} to ${cycle.last_seq ?? 'not known'}; everything up to seq ${cycle.verified_to_seq} is in it`]),
    ...block('result', [`${signed(net)} = gross ${signed(cycle.realized_pnl)} - fees ${number(cycle.fees)} - funding ${number(cycle.funding)}; the exchange stood at ${number(cycle.cum_realised_pnl_before)} before it`]),
    ...block('signals', results.flatMap(resultLines)),
    ...(cycle.contaminated_signal_ids.length === 0 ? [] : block('unsure', [`a size change that no order explains touched the lots of ${cycle.contaminated_signal_ids.join(', ')}`])),
    ...revisionLines(revisions.filter(({ reason, retracted }) => reason !== 'new' || retracted).length === 0 ? revisions.slice(-1) : revisions),
  ];
}

function resultLines({ signal_id, entered, left, open, realized_pnl, fees, funding, net_pnl, cash }: SignalResult): string[] {
  return [
    `${signalText(signal_id)}: entered ${number(entered)}, left ${number(left)}, open ${number(open)}; net ${signed(net_pnl)} = gross ${signed(realized_pnl)} - fees ${number(fees)} - funding ${number(funding)}`,
    ...cash.map(({ cash_id, kind, funding: paid, realized_pnl: gross, executed_at }) => `  ${time(executed_at)}  ${kind} ${kind === 'funding' ? number(paid) : signed(gross)} (${cash_id})`),
  ];
}

function discrepancyLines({ discrepancy: row, revisions }: DiscrepancyStory): string[] {
  return [
    `discrepancy ${row.cause} (${CAUSE_WORDS[row.cause]}), ${row.status}: seq ${row.first_seq ?? '?'} to ${row.last_seq ?? '?'}${row.size === null ? '' : `, size ${signed(row.size)}`}${row.money === null ? '' : `, money ${signed(row.money)}`}`,
    ...block('evidence', [row.evidence]),
    ...revisionLines(revisions),
  ];
}
