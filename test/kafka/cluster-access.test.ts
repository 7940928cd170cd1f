import { expect } from 'chai';
import { BROKER_OPTIONS } from '../../src/config/options.js';
import { resolveOptions } from '../../src/config/resolve.js';
import { clusterAccess, type ClusterAccess } from '../../src/kafka/cluster-access.js';

function access(env: Record<string, string>): ClusterAccess {
  return clusterAccess(resolveOptions(BROKER_OPTIONS, new Map(), { KAFKA_BROKERS: 'a:1', ...env }));
}

describe('access to the brokers', () => {
  it('is open where nothing else is said', () => {
    expect(access({})).to.deep.equal({ brokers: ['a:1'] });
  });

  it('takes credentials whole, whatever the case of the mechanism', () => {
    expect(access({ KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512', KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'p' }).sasl).to.deep.equal({ mechanism: 'scram-sha-512', username: 'u', password: 'p' });
    expect(() => access({ KAFKA_SASL_USERNAME: 'u' })).to.throw('lack KAFKA_SASL_MECHANISM and KAFKA_SASL_PASSWORD');
  });

  it('encrypts where a switch or a file says so', () => {
    expect(access({ KAFKA_TLS: 'true' }).ssl).to.deep.equal({});
    expect(access({ KAFKA_TLS_CA: 'package.json' }).ssl).to.have.keys('ca');
    expect(() => access({ KAFKA_TLS_CA: 'no-such-file' })).to.throw('--tls-ca no-such-file cannot be read');
    expect(() => access({ KAFKA_TLS_CERT: 'package.json' })).to.throw('needs its key');
  });
});
