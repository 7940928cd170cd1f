import { expect } from 'chai';
import { readRecordSchemas } from '../../src/avro/record-schema.js';
import { GATEWAY_USE, allRoleUses } from '../../src/cli/role-topics.js';
import { checkWith, SetUpError } from '../../src/cli/start-check.js';
import { recordSubjects } from '../../src/schema-registry/record-subjects.js';
import { declaredTopics } from '../../src/topic-apply/declared-topics.js';

const uses = allRoleUses().filter(({ role }) => role === 'order-manager');
const topics = declaredTopics().filter(({ name }) => uses.some(({ reads, writes }) => reads.includes(name) || writes.includes(name)));
const check = { namespace: 'n', registryUrl: 'http://r', uses, topics, databaseUrl: null };
const texts = new Map(recordSubjects('n', topics, readRecordSchemas()).map(({ subject, record }) => [subject, [JSON.stringify(record.schema)]]));

interface Wrong {
  readonly partitions?: Readonly<Record<string, number | null>>;
  readonly forbidden?: readonly string[];
  readonly schemas?: ReadonlyMap<string, readonly string[]>;
  readonly brokerError?: Error;
  readonly tables?: string;
}

async function failure({ partitions = {}, forbidden = [], schemas = texts, brokerError, tables }: Wrong, what = check): Promise<SetUpError | number> {
  const probe = {
    topics: async (names: readonly string[]) => {
      if (brokerError !== undefined) throw brokerError;
      return names.map((topic) => ({ topic, partitions: partitions[topic] === undefined ? 12 : partitions[topic], may: (right: string) => !forbidden.includes(`${right} ${topic}`) }));
    },
    mayUseGroup: async (group: string) => !forbidden.includes(group),
    mayWriteAs: async (id: string) => !forbidden.includes(id),
  };
  const registry = {
    versions: async (subject: string) => (schemas.get(subject) ?? []).map((_text, index) => index + 1),
    version: async (subject: string, version: number | 'latest') => ({ id: 1, version: Number(version), schema: schemas.get(subject)?.[Number(version) - 1] ?? '' }),
  };
  return checkWith(probe, registry, async () => tables ?? null, what).catch((error: unknown) => error as SetUpError);
}

describe('the check at the start of a role', () => {
  it('answers the number of partitions where all is in place', async () => {
    expect(await failure({})).to.equal(12);
    const gateway = { ...check, uses: [GATEWAY_USE], topics: declaredTopics().filter(({ name }) => GATEWAY_USE.writes.includes(name)) };
    expect(await failure({ schemas: new Map([...texts, ['n.ws-gateway.position-position_linker.PositionUpdate', [JSON.stringify(readRecordSchemas().find(({ name }) => name === 'PositionUpdate')?.schema)]], ['n.ws-gateway.position-position_linker.Watermark', texts.get('n.ws-gateway.order-position_linker.Watermark') as string[]]]) }, gateway)).to.equal(12);
  });

  it('refuses once, with every problem and the command that mends it', async () => {
    const subject = 'n.order-manager.order_events-position_linker.Fill';
    const broken = new Map(texts);
    broken.delete('n.ws-gateway.order-position_linker.OrderUpdate');
    broken.set(subject, [...(texts.get(subject) ?? []), JSON.stringify({ type: 'record', name: 'Fill', namespace: 'position_linker', fields: [] })]);
    const error = await failure({
      partitions: { 'n.ws-gateway.order': 6, 'n.order-manager.changelog': null },
      forbidden: ['read n.ws-gateway.execution', 'n.order-manager', 'n.order-manager.0'],
      schemas: broken,
      tables: 'the database has no tables in schema n',
    });
    expect(error).to.be.instanceOf(SetUpError).with.property('isUnreachable', false);
    expect((error as SetUpError).message.split('\n').map((line) => line.replace(/(cannot be read): .*/, '$1'))).to.deep.equal([
      'order-manager cannot start, not everything is set up:',
      '  topic n.order-manager.changelog is missing',
      '    mend with: position-linker topics apply --namespace n',
      '  topic n.ws-gateway.order has 6 partitions, the others of order-manager have 12',
      '    mend with: position-linker topics plan --namespace n, which says what can be done',
      '  order-manager may not read topic n.ws-gateway.execution',
      '  order-manager may not be a member of group n.order-manager',
      '  order-manager may not write under transactional ids such as n.order-manager.0',
      '    mend with: position-linker acls apply --namespace n, as a user who may change rights',
      '  schema n.ws-gateway.order-position_linker.OrderUpdate is not registered',
      '    mend with: position-linker schemas register --namespace n',
      '  the database has no tables in schema n',
      '    mend with: position-linker db migrate --namespace n',
      `  version 2 of ${subject} cannot be read`,
      '    mend with: a version of position-linker that reads these schemas, or another namespace',
    ]);
  });

  it('tells a topic that may not be seen from one that is missing', async () => {
    const topic = 'n.ws-gateway.order';
    const error = await failure({ partitions: { [topic]: null }, forbidden: [`read ${topic}`, `describe ${topic}`] });
    expect((error as SetUpError).message).to.include(`order-manager may not read topic ${topic}`).and.not.include('is missing');
  });

  it('goes on where a server does not answer, and says that a later start may do', async () => {
    const error = await failure({ brokerError: new Error('nobody there', { cause: new Error('refused') }), schemas: new Map() });
    expect(error).to.have.property('isUnreachable', true);
    expect((error as SetUpError).message).to.include('the brokers could not be asked: nobody there: refused').and.include('is not registered');
  });
});
