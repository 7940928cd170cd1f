import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { packageRoot } from '../../src/stack/paths.js';

interface Service {
  readonly image: string;
  readonly ports: readonly string[];
  readonly profiles?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly healthcheck?: { readonly test: readonly string[]; readonly interval: string; readonly retries: number };
}

const file = parse(readFileSync(join(packageRoot, 'docker-compose.kafka.yml'), 'utf8')) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};
const services = Object.entries(file.services);
const service = (name: string): Service => file.services[name] as Service;

describe('docker-compose.kafka.yml', () => {
  it('has the three servers, and a console that only its profile starts', () => {
    expect(Object.keys(file.services).sort()).to.deep.equal(['console', 'kafka', 'postgres', 'registry']);
    expect(services.filter(([, { profiles }]) => profiles !== undefined).map(([name]) => name)).to.deep.equal(['console']);
  });

  it('pins every image to a full version', () => {
    for (const [name, { image }] of services) expect(image, name).to.match(/^[\w./-]+:v?\d+\.\d+(\.\d+)?(\.Final)?$/);
  });

  it('checks the health of every service with a command and a bound', () => {
    for (const [name, { healthcheck }] of services) {
      expect(healthcheck?.test[0], name).to.equal('CMD');
      expect(healthcheck?.test.length, name).to.be.greaterThan(1);
      expect(healthcheck?.retries, name).to.be.greaterThan(0);
    }
  });

  it('waits for the health of what a service needs', () => {
    const needs = (name: string): string[] => Object.keys(service(name).depends_on ?? {});
    expect(needs('registry')).to.deep.equal(['postgres']);
    expect(needs('console').sort()).to.deep.equal(['kafka', 'registry']);
    for (const [, { depends_on }] of services) {
      for (const [needed, { condition }] of Object.entries(depends_on ?? {})) {
        expect(file.services).to.have.property(needed);
        expect(condition).to.equal('service_healthy');
      }
    }
  });

  it('keeps what must survive in named volumes, and declares no other', () => {
    const used = services.flatMap(([, { volumes }]) => (volumes ?? []).map((volume) => volume.split(':')[0]));
    expect(used.sort()).to.deep.equal(Object.keys(file.volumes).sort());
    expect(service('kafka').volumes).to.deep.equal([`kafka-data:${service('kafka').environment?.['KAFKA_LOG_DIRS']}`]);
  });

  it('publishes on the loopback address only, at ports the environment may choose', () => {
    const published = services.map(([name, { ports }]) => [name, ports.map((port) => port.replace(/:-\d+}/, '}'))]);
    expect(Object.fromEntries(published)).to.deep.equal({
      kafka: ['127.0.0.1:${POSITION_LINKER_KAFKA_PORT}:9092'],
      registry: ['127.0.0.1:${POSITION_LINKER_REGISTRY_PORT}:8080'],
      postgres: ['127.0.0.1:${POSITION_LINKER_POSTGRES_PORT}:5432'],
      console: ['127.0.0.1:${POSITION_LINKER_CONSOLE_PORT}:8080'],
    });
  });

  it('advertises the port that it publishes, so that a client outside is not sent away', () => {
    const advertised = String(service('kafka').environment?.['KAFKA_ADVERTISED_LISTENERS']);
    const published = service('kafka').ports[0] ?? '';
    const port = /\$\{[^}]+}/;
    expect(port.exec(advertised)?.[0]).to.equal(port.exec(published)?.[0]);
    expect(advertised).to.contain('EXTERNAL://127.0.0.1:');
  });

  it('runs Kafka without ZooKeeper and without topics that nobody asked for', () => {
    const kafka = service('kafka').environment ?? {};
    expect(kafka['KAFKA_PROCESS_ROLES']).to.equal('broker,controller');
    expect(String(kafka['KAFKA_AUTO_CREATE_TOPICS_ENABLE'])).to.equal('false');
    expect(Buffer.from(String(kafka['CLUSTER_ID']), 'base64url')).to.have.length(16);
  });
});
