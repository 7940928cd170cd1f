import { expect } from 'chai';
import { databaseError, DatabaseError, kindOfSqlState, type DatabaseErrorKind } from '../../src/postgres/database-error.js';

describe('kinds of database errors', () => {
  const cases: readonly [string, string, DatabaseErrorKind][] = [
    ['40001', 'serialization failure', 'transient'],
    ['40P01', 'deadlock', 'transient'],
    ['08006', 'connection failure', 'transient'],
    ['57P01', 'administrator shutdown', 'transient'],
    ['57P03', 'cannot connect now', 'transient'],
    ['53100', 'disk full', 'transient'],
    ['53300', 'too many connections', 'transient'],
    ['55P03', 'lock not available', 'transient'],
    ['25P03', 'idle in transaction for too long', 'transient'],
    ['25006', 'read-only transaction', 'transient'],
    ['22P02', 'invalid text representation', 'row'],
    ['22003', 'numeric value out of range', 'row'],
    ['22021', 'character not in repertoire', 'row'],
    ['23505', 'unique violation', 'row'],
    ['23514', 'check violation', 'row'],
    ['54000', 'index entry too long', 'row'],
    ['28P01', 'invalid password', 'configuration'],
    ['3D000', 'no such database', 'configuration'],
    ['42P01', 'undefined table', 'configuration'],
    ['42501', 'insufficient privilege', 'configuration'],
    ['XX001', 'data corrupted', 'fatal'],
    ['25001', 'active SQL transaction', 'fatal'],
    ['ZZZZZ', 'unknown', 'fatal'],
  ];
  for (const [code, what, kind] of cases) {
    it(`${code} (${what}) is ${kind}`, () => {
      expect(kindOfSqlState(code)).to.equal(kind);
    });
  }

  it('takes code, detail and place from the server, and keeps the cause', () => {
    const cause = Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (id)=(1) already exists.', table_name: 'orders', constraint_name: 'orders_pkey' });
    const error = databaseError(cause, 'INSERT');
    expect(error).to.include({ kind: 'row', sqlState: '23505', cause });
    expect(error.message).to.equal('INSERT: SQLSTATE 23505: duplicate key (Key (id)=(1) already exists.) [orders, orders_pkey]');
  });

  it('knows the codes of client and socket, which no server sent', () => {
    for (const code of ['CONNECTION_CLOSED', 'CONNECT_TIMEOUT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']) {
      expect(databaseError(Object.assign(new Error('gone'), { code }), 'BEGIN')).to.include({ kind: 'transient', sqlState: null });
    }
  });

  it('calls what it does not know fatal, and wraps nothing twice', () => {
    expect(databaseError(new TypeError('x is not a function'), 'SELECT').kind).to.equal('fatal');
    expect(databaseError('just text', 'SELECT').message).to.contain('just text');
    const known = new DatabaseError('closed', 'transient', null);
    expect(databaseError(known, 'SELECT')).to.equal(known);
  });
});
