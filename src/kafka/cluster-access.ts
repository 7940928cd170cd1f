import { readFileSync } from 'node:fs';
import { GuidedError } from '../config/guided-error.js';
import type { BrokerOptions } from '../config/options.js';
import type { ClusterOptions } from './cluster.js';

/** Where the brokers are and who asks, as the clients of this folder take it. */
export type ClusterAccess = Pick<ClusterOptions, 'brokers' | 'ssl' | 'sasl'>;

/** Reads the files of certificates. Throws GuidedError for half a set of credentials and for files that cannot be read. */
export function clusterAccess(options: BrokerOptions): ClusterAccess {
  const ssl = tlsOf(options);
  const sasl = saslOf(options);
  return { brokers: options.brokers, ...(ssl !== undefined && { ssl }), ...(sasl !== undefined && { sasl }) };
}

function tlsOf({ tls, tlsCa, tlsCert, tlsKey }: BrokerOptions): ClusterOptions['ssl'] {
  if ((tlsCert === null) !== (tlsKey === null)) throw new GuidedError('a certificate for the brokers needs its key, and a key its certificate', 'give both --tls-cert and --tls-key, or neither');
  if (!tls && tlsCa === null && tlsCert === null) return undefined;
  return {
    ...(tlsCa !== null && { ca: pem('--tls-ca', tlsCa) }),
    ...(tlsCert !== null && tlsKey !== null && { cert: pem('--tls-cert', tlsCert), key: pem('--tls-key', tlsKey) }),
  };
}

function pem(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new GuidedError(`${flag} ${file} cannot be read`, 'give the path of a PEM file that this user may read', { cause: error });
  }
}

function saslOf({ saslMechanism: mechanism, saslUsername: username, saslPassword: password }: BrokerOptions): ClusterOptions['sasl'] {
  if (mechanism === null && username === null && password === null) return undefined;
  if (mechanism === null || username === null || password === null) {
    const missing = [mechanism === null && 'KAFKA_SASL_MECHANISM', username === null && 'KAFKA_SASL_USERNAME', password === null && 'KAFKA_SASL_PASSWORD'].filter(Boolean);
    throw new GuidedError(`the credentials for the brokers lack ${missing.join(' and ')}`, 'set mechanism, username and password, or none of them');
  }
  return { mechanism, username, password };
}
