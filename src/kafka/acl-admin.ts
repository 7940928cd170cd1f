import kafkajs, { type Admin } from 'kafkajs';
import { kafkaClient } from './admin.js';
import { Cluster, type ClusterOptions } from './cluster.js';
import { ConfigurationError } from './errors.js';
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
const SECURITY_DISABLED = 'SECURITY_DISABLED';

function isSecurityDisabled(error: unknown): boolean {
  return (error as { type?: unknown }).type === SECURITY_DISABLED;
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
    const { resources } = await this.#use((admin) =>
      // kafkajs takes what is not there for "any", but declares that it must be there.
      admin
        .describeAcls({ resourceType: AclResourceTypes.ANY, resourcePatternType: ResourcePatternTypes.ANY, operation: AclOperationTypes.ANY, permissionType: AclPermissionTypes.ANY } as Parameters<Admin['describeAcls']>[0])
        .catch((error: unknown) => {
          if (isSecurityDisabled(error)) return { resources: null };
          throw error;
        }),
    );
    if (resources === null) return null;
    const rules = resources.flatMap(({ resourceType, resourceName, resourcePatternType, acls }) =>
      acls.map(({ principal, host, operation, permissionType }): AccessRule => ({
        principal,
        host,
        resource: (Object.entries(RESOURCES).find(([, type]) => type === resourceType)?.[0] ?? 'other') as AclResource,
        name: resourceName,
        pattern: resourcePatternType === ResourcePatternTypes.PREFIXED ? 'prefixed' : 'literal',
        operation: operationName(operation),
        permission: permissionType === AclPermissionTypes.DENY ? 'deny' : 'allow',
      })),
    );
    return rules.filter(({ principal }) => principals.includes(principal));
  }

  /** Rules that are there already stay as they are. */
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
      if (isSecurityDisabled(error)) {
        throw new ConfigurationError('these brokers have no authorizer, so that everybody may do everything and rules cannot be kept; set authorizer.class.name in server.properties', { cause: error });
      }
      throw new ConfigurationError(`rules of access could not be administered: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
}
