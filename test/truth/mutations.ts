import { parseFixed } from '../simulator/fixed.js';
import type { Row, Tables } from './rows.js';

/** One way to spoil tables: returns the spoilt ones, or null where it does not apply to the row at `pick`. */
export interface Mutation {
  name: string;
  apply(tables: Tables, pick: number): Tables | null;
}

type TableName = 'position_orders' | 'position_cycles' | 'prediction_trading_results' | 'positions' | 'orders';

function change(table: TableName, name: string, edit: (row: Row) => Row | null): Mutation {
  return {
    name: `${table}: ${name}`,
    apply(tables, pick) {
      const rows = tables[table] ?? [];
      if (rows.length === 0) return null;
      const at = pick % rows.length;
      const edited = edit(rows[at] as Row);
      return edited && { ...tables, [table]: rows.map((row, i) => (i === at ? edited : row)) };
    },
  };
}

function drop(table: TableName): Mutation {
  return {
    name: `${table}: a row dropped`,
    apply(tables, pick) {
      const rows = tables[table] ?? [];
      return rows.length === 0 ? null : { ...tables, [table]: rows.filter((_, i) => i !== pick % rows.length) };
    },
  };
}

function double(table: TableName, other: (row: Row) => Row): Mutation {
  return {
    name: `${table}: a row added`,
    apply(tables, pick) {
      const rows = tables[table] ?? [];
      return rows.length === 0 ? null : { ...tables, [table]: [...rows, other(rows[pick % rows.length] as Row)] };
    },
  };
}

/** Adds to an amount; a null amount is left alone. */
function off(column: string, by: string): (row: Row) => Row | null {
  return (row) => {
    const value = row[column];
    if (typeof value !== 'string') return null;
    const sum = parseFixed(value) + parseFixed(by);
    const size = (sum < 0n ? -sum : sum).toString().padStart(37, '0');
    return { ...row, [column]: `${sum < 0n ? '-' : ''}${size.slice(0, -36)}.${size.slice(-36)}` };
  };
}

function negated(column: string): (row: Row) => Row | null {
  return (row) => {
    const value = row[column];
    if (typeof value !== 'string' || /^-?0(\.0*)?$/.test(value)) return null;
    return { ...row, [column]: value.startsWith('-') ? value.slice(1) : `-${value}` };
  };
}

const otherLabel: Record<string, string> = { opened: 'increased', increased: 'opened', decreased: 'closed', closed: 'reversed', reversed: 'closed' };
const otherSide = (column: string) => (row: Row): Row => ({ ...row, [column]: row[column] === 'Buy' ? 'Sell' : 'Buy' });

/** Exchanges the money of two results of which the money differs. */
const swapped: Mutation = {
  name: 'prediction_trading_results: two results swapped',
  apply(tables, pick) {
    const rows = tables.prediction_trading_results;
    if (rows.length < 2) return null;
    const [a, b] = [rows[pick % rows.length] as Row, rows[(pick + 1) % rows.length] as Row];
    if (a['realized_pnl'] === b['realized_pnl']) return null;
    const money = (row: Row) => ({ realized_pnl: row['realized_pnl'], fees: row['fees'], funding: row['funding'], net_pnl: row['net_pnl'] });
    const edited = rows.map((row) => (row === a ? { ...a, ...money(b) } : row === b ? { ...b, ...money(a) } : row));
    return { ...tables, prediction_trading_results: edited };
  },
};

export const MUTATIONS: readonly Mutation[] = [
  change('position_orders', 'wrong label', (row) => ({ ...row, relationship_type: otherLabel[String(row['relationship_type'])] })),
  change('position_orders', 'size one unit off', off('size_delta', '0.000000000000000001')),
  change('position_orders', 'size before off', off('size_before', '0.001')),
  change('position_orders', 'size after off', off('size_after', '-0.001')),
  change('position_orders', 'wrong sign', negated('size_delta')),
  change('position_orders', 'price off', off('execution_price', '0.1')),
  change('position_orders', 'no price', (row) => (row['execution_price'] === null ? null : { ...row, execution_price: null })),
  change('position_orders', 'fee off', off('execution_fee', '0.00000001')),
  change('position_orders', 'wrong signal', (row) => ({ ...row, signal_id: 'another' })),
  change('position_orders', 'signal lost', (row) => (row['signal_id'] === null ? null : { ...row, signal_id: null })),
  change('position_orders', 'wrong side', otherSide('side')),
  change('position_orders', 'wrong order', (row) => ({ ...row, order_id: 'another' })),
  change('position_orders', 'wrong leg', (row) => ({ ...row, leg: row['leg'] === 0 ? 1 : 0 })),
  change('position_orders', 'wrong execution', (row) => ({ ...row, exec_id: 'another' })),
  change('position_orders', 'wrong time', (row) => ({ ...row, executed_at: Number(row['executed_at']) + 1 })),
  change('position_orders', 'wrong seq', (row) => ({ ...row, seq: Number(row['seq']) + 1 })),
  change('position_orders', 'another cycle', (row) => ({ ...row, position_id: 'another' })),
  change('position_orders', 'another book', (row) => ({ ...row, position_idx: Number(row['position_idx']) + 3 })),
  drop('position_orders'),
  double('position_orders', (row) => ({ ...row, id: 'one more', leg: 2 })),
  double('position_orders', (row) => ({ ...row, id: 'one more', exec_id: 'one more' })),
  change('position_cycles', 'size off', off('size', '0.001')),
  change('position_cycles', 'largest size off', off('max_size', '0.001')),
  change('position_cycles', 'wrong side', otherSide('side')),
  change('position_cycles', 'open and closed confused', (row) => ({ ...row, closed_at: row['closed_at'] === null ? 1 : null })),
  change('position_cycles', 'opened at another time', (row) => ({ ...row, opened_at: Number(row['opened_at']) - 1 })),
  change('position_cycles', 'first seq off', (row) => ({ ...row, first_seq: Number(row['first_seq']) - 1 })),
  change('position_cycles', 'last seq off', (row) => ({ ...row, last_seq: Number(row['last_seq']) + 1 })),
  change('position_cycles', 'result off', off('realized_pnl', '0.001')),
  change('position_cycles', 'fees off', off('fees', '-0.001')),
  change('position_cycles', 'funding off', off('funding', '0.001')),
  change('position_cycles', 'exit price off', off('exit_price', '1')),
  drop('position_cycles'),
  double('position_cycles', (row) => ({ ...row, position_id: 'one more' })),
  change('prediction_trading_results', 'wrong sign', negated('realized_pnl')),
  change('prediction_trading_results', 'result off', off('realized_pnl', '0.00001')),
  change('prediction_trading_results', 'fees off', off('fees', '0.00001')),
  change('prediction_trading_results', 'funding off', off('funding', '0.00001')),
  change('prediction_trading_results', 'net off', off('net_pnl', '-0.00001')),
  change('prediction_trading_results', 'entry quantity one unit off', off('entry_quantity', '0.000000000000000001')),
  change('prediction_trading_results', 'exit quantity off', off('exit_quantity', '-0.0001')),
  change('prediction_trading_results', 'entry price off', off('entry_price', '1')),
  change('prediction_trading_results', 'exit price off', off('exit_price', '-1')),
  change('prediction_trading_results', 'wrong signal', (row) => ({ ...row, signal_id: 'another' })),
  change('prediction_trading_results', 'another cycle', (row) => ({ ...row, position_id: 'another' })),
  change('prediction_trading_results', 'wrong direction', otherSide('direction')),
  change('prediction_trading_results', 'open and closed confused', (row) => ({ ...row, is_closed: row['is_closed'] === false })),
  change('prediction_trading_results', 'contaminated', (row) => ({ ...row, is_contaminated: true })),
  drop('prediction_trading_results'),
  double('prediction_trading_results', (row) => row),
  double('prediction_trading_results', (row) => ({ ...row, signal_id: 'one more' })),
  swapped,
  change('positions', 'size off', off('size', '0.001')),
  change('positions', 'wrong sign', negated('size')),
  change('positions', 'total off', off('cum_realised_pnl', '0.00000002')),
  drop('positions'),
  change('orders', 'filled quantity off', off('filled_quantity', '0.001')),
  change('orders', 'average price off', off('average_price', '1')),
  change('orders', 'fees off', off('fees', '0.00000001')),
  change('orders', 'wrong signal', (row) => ({ ...row, signal_id: 'another' })),
  drop('orders'),
];
