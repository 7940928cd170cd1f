import kafkajs, { type Admin } from 'kafkajs';
import { canonicalJson } from '../domain/canonical-json.js';
import { kafkaClient } from './admin.js';
import { errorName, isAuthorizationError, NO_ERROR } from './broker-errors.js';
import { Cluster, type ClusterOptions } from './cluster.js';
import { ConfigurationError } from './errors.js';
import { knownEverywhere } from './everywhere.js';
import { describeRulesRequest, type NumberedRule } from './protocol/admin-requests.js';
import { apiVersionsRequest } from './protocol/cluster-requests.js';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

export type AclResource = 'topic' | 'group' | 'cluster' | 'transactional-id' | 'other';

/** One rule of the brokers' authorizer. */
export interface AccessRule {
  /** As the brokers write it, such as User:order-manager. */
  readonly principal: string;
  readonly host: string;
  readonly resource: AclResource;
  readonly name: string;
  /** Whether the name is whole or a beginning. */
  readonly pattern: 'literal' | 'prefixed';
  /** Lower case, words with _, such as read or idempotent_write. */
  readonly operation: string;
  readonly permission: 'allow' | 'deny';
}

const RESOURCES: Readonly<Record<AclResource, number>> = {
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  cluster: AclResourceTypes.CLUSTER,
  'transactional-id': AclResourceTypes.TRANSACTIONAL_ID,
  other: AclResourceTypes.UNKNOWN,
};

/** What every resource of the kind "cluster" is called. */
export const CLUSTER_NAME = 'kafka-cluster';

/** Brokers that know DescribeCluster let an idempotent producer write with the right to the topic alone. */
const DESCRIBE_CLUSTER = 60;
const SECURITY_DISABLED = 54;

function readableRule({ resourceType, name, patternType, principal, host, operation, permission }: NumberedRule): AccessRule {
  return {
    principal,
    host,
    resource: (Object.entries(RESOURCES).find(([, type]) => type === resourceType)?.[0] ?? 'other') as AclResource,
    name,
    pattern: patternType === ResourcePatternTypes.PREFIXED ? 'prefixed' : 'literal',
    operation: operationName(operation),
    permission: permission === AclPermissionTypes.DENY ? 'deny' : 'allow',
  };
}

function operationName(operation: number): string {
  return (Object.entries(AclOperationTypes).find(([, value]) => value === operation)?.[0] ?? `operation ${operation}`).toLowerCase();
}

/** Rules of the brokers' authorizer: read and added, never taken away. Connects when first used; `close` when done. */
export class AclAdmin {
  readonly #admin: Admin;
  readonly #cluster: Cluster;
  #connected: Promise<void> | null = null;

  constructor(options: Pick<ClusterOptions, 'brokers' | 'clientId' | 'ssl' | 'sasl'>) {
    this.#admin = kafkaClient(options).admin();
    this.#cluster = new Cluster(options);
  }

  /** All rules about these principals; null where there is no authorizer, and everybody may do everything. */
  async rulesOf(principals: readonly string[]): Promise<readonly AccessRule[] | null> {
    const { errorCode, errorMessage, rules } = await this.#cluster.requestAny(describeRulesRequest());
    if (errorCode === SECURITY_DISABLED) return null;
    if (isAuthorizationError(errorCode)) throw new ConfigurationError('rules of access could not be read: whoever keeps them needs Describe and Alter on the cluster', { isUnauthorized: true });
    if (errorCode !== NO_ERROR) throw new ConfigurationError(`rules of access could not be read: ${errorName(errorCode)}${errorMessage === null ? '' : `: ${errorMessage}`}`);
    return rules.map(readableRule).filter(({ principal }) => principals.includes(principal));
  }

  /** Rules that are there already stay as they are. Resolves when every broker knows them. */
  async add(rules: readonly AccessRule[]): Promise<void> {
    if (rules.length === 0) return;
    await this.#use((admin) =>
      admin.createAcls({
        acl: rules.map(({ principal, host, resource, name, pattern, operation, permission }) => ({
          principal,
          host,
          resourceType: RESOURCES[resource],
          resourceName: name,
          resourcePatternType: pattern === 'prefixed' ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
          operation: AclOperationTypes[operation.toUpperCase() as keyof typeof AclOperationTypes],
          permissionType: permission === 'deny' ? AclPermissionTypes.DENY : AclPermissionTypes.ALLOW,
        })),
      }),
    );
    const wanted = rules.map((rule) => canonicalJson(rule));
    await knownEverywhere(this.#cluster, describeRulesRequest(), (answer) => {
      const known = new Set(answer.rules.map((rule) => canonicalJson(readableRule(rule))));
      return wanted.every((rule) => known.has(rule));
    });
  }

  /** Whether writing idempotently needs a right of its own, as it did before Kafka 2.8. */
  async needsIdempotentWrite(): Promise<boolean> {
    const { ranges } = await this.#cluster.requestAny(apiVersionsRequest());
    return !ranges.some(({ key }) => key === DESCRIBE_CLUSTER);
  }

  async close(): Promise<void> {
    this.#cluster.close();
    if (this.#connected !== null) await this.#admin.disconnect();
  }

  async #use<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    try {
      this.#connected ??= this.#admin.connect();
      await this.#connected;
      return await work(this.#admin);
    } catch (error) {
      if ((error as { type?: unknown }).type === 'SECURITY_DISABLED') {
        throw new ConfigurationError('these brokers have no authorizer, so that everybody may do everything and rules cannot be kept; set authorizer.class.name in server.properties', { cause: error });
      }
      throw new ConfigurationError(`rules of access could not be administered: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
}
