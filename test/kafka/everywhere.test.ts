import { expect } from 'chai';
import { brokerError, TOPIC_AUTHORIZATION_FAILED } from '../../src/kafka/broker-errors.js';
import { closedHint, ConfigurationError, TransientError } from '../../src/kafka/errors.js';
import { knownEverywhere } from '../../src/kafka/everywhere.js';
import type { KafkaRequest } from '../../src/kafka/protocol/request.js';
import { worstError } from '../../src/kafka/transaction-coordinator.js';

const ASK = { api: { key: 0, version: 0, name: 'Ask' }, body: [], decode: () => 0 } satisfies KafkaRequest<number>;

describe('a change that every broker is to know', () => {
  it('is asked for at each until it says so; one that is away is not waited for', async () => {
    const asked = new Map<number, number>();
    const cluster = {
      brokerIds: async () => [1, 2, 3],
      request: async <Answer>(nodeId: number): Promise<Answer> => {
        asked.set(nodeId, (asked.get(nodeId) ?? 0) + 1);
        if (nodeId === 3) throw new TransientError('away');
        return asked.get(nodeId) as Answer;
      },
    };
    await knownEverywhere<number>(cluster, ASK, (answer) => answer >= 2);
    expect([...asked]).to.deep.equal([[1, 2], [2, 2], [3, 1]]);
  });

  it('fails with what a broker refuses for good', async () => {
    const cluster = { brokerIds: async () => [1], request: async () => Promise.reject(new ConfigurationError('no')) };
    expect(await knownEverywhere(cluster, ASK, () => true).catch((error: Error) => error.message)).to.equal('no');
  });
});

describe('a missing right', () => {
  it('is told apart from other settings that do not fit, and says where to look', () => {
    const error = brokerError(TOPIC_AUTHORIZATION_FAILED, 'Fetch', { topic: 't', partition: 1 });
    expect(error).to.be.instanceOf(ConfigurationError).with.property('isUnauthorized', true);
    expect(error.message).to.equal('Fetch on t-1 was answered with TOPIC_AUTHORIZATION_FAILED: this user lacks a right; `position-linker acls plan` shows what each role needs');
    expect(brokerError(17, 'x')).to.have.property('isUnauthorized', false);
  });

  it('names its topic where only one of several is refused', () => {
    expect(() => worstError([{ topic: 'a', partition: 0, errorCode: 0 }, { topic: 'b', partition: 2, errorCode: TOPIC_AUTHORIZATION_FAILED }])).to.throw(ConfigurationError, 'b-2');
    expect(worstError([{ topic: 'a', partition: 0, errorCode: 51 }])).to.equal(51);
  });
});

describe('a closed connection', () => {
  it('makes one think of what was not given', () => {
    expect(closedHint(new Error('Closed connection'), {})).to.equal('; brokers that want TLS (KAFKA_TLS, KAFKA_TLS_CA) or credentials (KAFKA_SASL_MECHANISM, …) close connections without');
    expect(closedHint(new Error('Closed connection'), { ssl: {} })).to.include('credentials').and.not.include('TLS');
    expect(closedHint(new Error('Closed connection'), { ssl: {}, sasl: {} })).to.equal('');
    expect(closedHint(new Error('ECONNREFUSED'), {})).to.equal('');
  });
});
