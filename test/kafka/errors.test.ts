import { expect } from 'chai';
import { brokerError, disposition, errorName } from '../../src/kafka/broker-errors.js';
import { classify, FencedError, TransientError } from '../../src/kafka/errors.js';
import { WireReader } from '../../src/kafka/wire.js';

describe('broker errors', () => {
  // What the shell does next, by the code's number in Kafka's protocol.
  const table: readonly (readonly [code: number, name: string, kind: string])[] = [
    [47, 'INVALID_PRODUCER_EPOCH', 'fenced'],
    [90, 'PRODUCER_FENCED', 'fenced'],
    [1, 'OFFSET_OUT_OF_RANGE', 'state-lost'],
    [10, 'MESSAGE_TOO_LARGE', 'record-refused'],
    [32, 'INVALID_TIMESTAMP', 'record-refused'],
    [29, 'TOPIC_AUTHORIZATION_FAILED', 'configuration'],
    [45, 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'transient'],
    [48, 'INVALID_TXN_STATE', 'transient'],
    [6, 'NOT_LEADER_OR_FOLLOWER', 'transient'],
    [999, 'error code 999', 'transient'],
  ];
  for (const [code, name, kind] of table) {
    it(`${name} is ${kind}`, () => {
      const error = brokerError(code, 'Produce', { topic: 't', partition: 4 });
      expect(error).to.include({ kind, topic: 't', partition: 4 });
      expect(error.message).to.include(name).and.include('t-4');
      expect(errorName(code)).to.equal(name);
    });
  }

  it('are refusals only where the broker did nothing', () => {
    for (const code of [3, 5, 6, 14, 15, 16, 19, 51]) expect(disposition(code), errorName(code)).to.equal('refused');
    for (const code of [-1, 7, 13, 20]) expect(disposition(code), errorName(code)).to.equal('unknown');
  });
});

describe('classify', () => {
  it('leaves log errors as they are and takes all else for transient', () => {
    const fenced = new FencedError('x');
    expect(classify(fenced)).to.equal(fenced);
    const cause = new Error('socket hang up');
    const transient = classify(cause, 'asking');
    expect(transient).to.be.instanceOf(TransientError);
    expect(transient).to.include({ message: 'asking: socket hang up', cause });
    expect(classify('text')).to.be.instanceOf(TransientError);
    expect(classify(undefined)).to.be.instanceOf(TransientError);
  });
});

describe('a broker answer that is cut off', () => {
  it('is an error, not a read past the end', () => {
    for (const read of ['int8', 'int16', 'int32', 'int64', 'string', 'bytes'] as const) {
      expect(() => new WireReader(Buffer.alloc(0))[read]()).to.throw(TransientError, /cut off/);
    }
    expect(() => new WireReader(Buffer.from([0x7f, 0xff, 0xff, 0xff])).array(() => 0)).to.throw(TransientError, /cut off/);
  });
});
