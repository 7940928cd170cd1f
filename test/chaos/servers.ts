import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { embeddedPostgres } from '../../src/stack/embedded-postgres.js';
import { embeddedRegistry } from '../../src/stack/embedded-registry.js';
import { startPiece, stopPiece, type EmbeddedPiece } from '../../src/stack/embedded-piece.js';
import { stackPaths, type StackPaths } from '../../src/stack/paths.js';
import { findByArgument } from '../../src/stack/process-table.js';
import { downloads, KafkaCluster } from '../kafka/kafka-cluster.js';
import { ChaosProxy } from './proxy.js';

/** A server beside the brokers: killed and started again, possibly elsewhere. */
class Piece {
  address = '';
  readonly #piece: EmbeddedPiece;
  readonly #paths: StackPaths;
  #ports: Readonly<Record<string, number>> = {};

  constructor(piece: EmbeddedPiece, paths: StackPaths) {
    this.#piece = piece;
    this.#paths = paths;
  }

  /** Tries again for a while: right after a kill the remains of the last life may be in the way. */
  async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        const remember = (ports: Readonly<Record<string, number>>): void => void (this.#ports = { ...this.#ports, ...ports });
        this.address = await startPiece(this.#piece, this.#paths, this.#ports, new Set(), remember, { env: process.env, say: () => undefined, signal: undefined });
        return;
      } catch (error) {
        if (attempt === 10) throw error;
        await pause(500);
      }
    }
  }

  kill(): void {
    for (const pid of findByArgument(...this.#piece.markers(this.#paths))) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone already.
      }
    }
  }

  async close(): Promise<void> {
    await stopPiece(this.#piece, this.#paths);
  }
}

export interface ServerOptions {
  readonly dir: string;
  readonly brokers: number;
}

/** The servers of a campaign, and the ways to them that roles take. */
export class Servers {
  readonly kafka: KafkaCluster;
  readonly postgres: Piece;
  readonly registry: Piece;
  readonly brokerProxies: readonly ChaosProxy[];
  readonly postgresProxy: ChaosProxy;
  readonly registryProxy: ChaosProxy;
  readonly #ports: { readonly brokers: readonly number[]; readonly postgres: number; readonly registry: number };

  private constructor(kafka: KafkaCluster, pieces: { postgres: Piece; registry: Piece }, proxies: Pick<Servers, 'brokerProxies' | 'postgresProxy' | 'registryProxy'>, ports: { brokers: readonly number[]; postgres: number; registry: number }) {
    this.kafka = kafka;
    this.postgres = pieces.postgres;
    this.registry = pieces.registry;
    this.brokerProxies = proxies.brokerProxies;
    this.postgresProxy = proxies.postgresProxy;
    this.registryProxy = proxies.registryProxy;
    this.#ports = ports;
  }

  static async start({ dir, brokers }: ServerOptions): Promise<Servers> {
    mkdirSync(dir, { recursive: true });
    const paths = stackPaths(dir, downloads());
    const brokerProxies = Array.from({ length: brokers }, () => new ChaosProxy(true));
    const postgresProxy = new ChaosProxy(false);
    const registryProxy = new ChaosProxy(false);
    const ports = {
      brokers: await Promise.all(brokerProxies.map((proxy) => proxy.listen())),
      postgres: await postgresProxy.listen(),
      registry: await registryProxy.listen(),
    };
    const pieces = { postgres: new Piece(embeddedPostgres, paths), registry: new Piece(embeddedRegistry, paths) };
    const [kafka] = await Promise.all([
      KafkaCluster.start({ dir: join(dir, 'kafka'), count: brokers, toldPorts: ports.brokers }),
      pieces.postgres.start(),
      pieces.registry.start(),
    ]);
    const servers = new Servers(kafka, pieces, { brokerProxies, postgresProxy, registryProxy }, ports);
    servers.retarget();
    return servers;
  }

  get proxies(): readonly ChaosProxy[] {
    return [...this.brokerProxies, this.postgresProxy, this.registryProxy];
  }

  /** Leads the ways to where the servers are now. */
  retarget(): void {
    this.brokerProxies.forEach((proxy, index) => (proxy.target = { host: '127.0.0.1', port: this.kafka.secondListeners[index] ?? 0 }));
    this.postgresProxy.target = { host: '127.0.0.1', port: Number(new URL(this.postgres.address).port) };
    this.registryProxy.target = { host: '127.0.0.1', port: Number(new URL(this.registry.address).port) };
  }

  /** Addresses as roles get them: through the proxies. */
  get faulty(): Record<string, string> {
    const through = (address: string, port: number): string => {
      const url = new URL(address);
      url.port = String(port);
      return url.href.replace(/\/$/, '');
    };
    return {
      KAFKA_BROKERS: this.#ports.brokers.map((port) => `127.0.0.1:${port}`).join(','),
      SCHEMA_REGISTRY_URL: through(this.registry.address, this.#ports.registry),
      DATABASE_URL: through(this.postgres.address, this.#ports.postgres),
    };
  }

  /** Addresses as the judge gets them. */
  get direct(): { readonly KAFKA_BROKERS: string; readonly SCHEMA_REGISTRY_URL: string; readonly DATABASE_URL: string } {
    return { KAFKA_BROKERS: this.kafka.direct.join(','), SCHEMA_REGISTRY_URL: this.registry.address, DATABASE_URL: this.postgres.address };
  }

  /** At once and without waiting, for the last moment of this process. */
  destroy(): void {
    this.kafka.destroy();
    this.postgres.kill();
    this.registry.kill();
  }

  async close(): Promise<void> {
    for (const proxy of this.proxies) proxy.close();
    await Promise.allSettled([this.kafka.close(), this.postgres.close(), this.registry.close()]);
  }
}
