import { expect } from 'chai';
import { readRegistryVersions } from '../../src/schema-versions/registry-versions.js';

const record = (name: string): string => JSON.stringify({ type: 'record', name, fields: [] });

/** Subjects with the full name of the record that each holds, in two versions. */
async function found(subjects: Readonly<Record<string, string>>, schemas: readonly (readonly [name: string, ...aliases: string[]])[], namespace: string | null = null): Promise<readonly string[]> {
  const client = {
    subjects: async (prefix: string) => Object.keys(subjects).filter((subject) => subject.startsWith(prefix)),
    versions: async () => [1, 2],
    version: async (subject: string, version: number | 'latest') => ({ id: 1, version: Number(version), schema: record(subjects[subject] ?? '') }),
  };
  const all = await readRegistryVersions({ client, namespace, declared: ['orders-n.Order'], schemas: schemas.map(([name, ...aliases]) => ({ name, aliases })) });
  return all.map((series) => series.map(({ subject, versions }) => `${subject} ${versions.length}`).join());
}

describe('versions in a registry', () => {
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, readonly (readonly [string, ...string[]])[], string | null, readonly string[]])[] = [
    ['are under every topic that carries the record', { 'a-n.Order': 'n.Order', 'b-n.Order': 'n.Order', 'n.Order': 'n.Order', 'a-xn.Order': 'xn.Order' }, [['n.Order']], null, ['a-n.Order 2,b-n.Order 2,n.Order 2']],
    ['may be under a topic alone, by what it holds', { 'a-value': 'n.Order', 'a-key': 'n.Key', 'b-value': 'n.Fill' }, [['n.Fill'], ['n.Key']], null, ['b-value 2', 'a-key 2']],
    ['are those of one pipeline, or of the one without a name', { 'p.orders-n.Order': 'n.Order', 'orders-n.Order': 'n.Order' }, [['n.Order']], null, ['orders-n.Order 2']],
    ['are those of the pipeline that is named', { 'p.orders-n.Order': 'n.Order', 'q.orders-n.Order': 'n.Order', 'orders-n.Order': 'n.Order' }, [['n.Order']], 'p', ['p.orders-n.Order 2']],
    ['are found under an alias', { 'a-n.Purchase': 'n.Purchase', 'a-n.Fill': 'n.Fill' }, [['n.Order', 'n.Purchase'], ['n.Fill']], null, ['a-n.Purchase 2', 'a-n.Fill 2']],
    ['are found under the namespace that the record had', { 'my-topic-old.Order': 'old.Order', 'a-n.Fill': 'n.Fill' }, [['new.Order'], ['n.Fill']], null, ['my-topic-old.Order 2', 'a-n.Fill 2']],
    ['may be none', { 'a-n.Fill': 'n.Fill' }, [['n.Order']], null, ['']],
  ];
  for (const [what, subjects, schemas, namespace, expected] of cases) {
    it(what, async () => expect(await found(subjects, schemas, namespace)).to.deep.equal(expected));
  }
});
