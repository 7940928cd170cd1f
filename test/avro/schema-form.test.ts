import { expect } from 'chai';
import { documentedSchemaForm, schemaForm } from '../../src/avro/schema-form.js';

const field = { name: 'size', type: { type: 'bytes', logicalType: 'decimal', precision: 38, scale: 18 }, doc: 'Size.' };
const side = { type: 'enum', name: 'Side', symbols: ['Buy', 'Sell'], default: 'Buy' };
const record = { type: 'record', name: 'Lot', namespace: 'desk', doc: 'A lot.', fields: [field, { name: 'side', type: side }, { name: 'exit', type: ['null', 'Side'], default: null }] };

describe('schemaForm', () => {
  it('is one text for one schema, however it is spelled', () => {
    const spelled = {
      fields: [
        { type: { scale: 18, precision: 38, logicalType: 'decimal', type: 'bytes' }, name: 'size' },
        { name: 'side', type: { ...side, name: 'desk.Side' } },
        { name: 'exit', default: null, type: [{ type: 'null' }, 'desk.Side'] },
      ],
      name: 'desk.Lot',
      type: 'record',
    };
    expect(schemaForm(spelled)).to.equal(schemaForm(record));
    expect(schemaForm({ type: { type: 'string' } })).to.equal(schemaForm('string'));
  });

  it('leaves out docs, unless they are asked for', () => {
    const other = { ...record, doc: 'Another text.' };
    expect(schemaForm(other)).to.equal(schemaForm(record));
    expect(documentedSchemaForm(other)).to.not.equal(documentedSchemaForm(record));
    expect(documentedSchemaForm({ ...record, fields: [{ ...field, doc: 'x' }, ...record.fields.slice(1)] })).to.not.equal(documentedSchemaForm(record));
  });

  const different: readonly (readonly [string, object])[] = [
    ['a namespace', { ...record, namespace: 'shop' }],
    ['a scale', { ...record, fields: [{ ...field, type: { ...field.type, scale: 8 } }, ...record.fields.slice(1)] }],
    ['a default', { ...record, fields: [{ ...field, default: '\u0000' }, ...record.fields.slice(1)] }],
    ['the order of fields', { ...record, fields: [record.fields[1], record.fields[0], record.fields[2]] }],
    ['an alias', { ...record, aliases: ['Parcel'] }],
    ['an enum symbol', { ...record, fields: [field, { name: 'side', type: { ...side, symbols: ['Buy', 'Sell', 'None'] } }, record.fields[2]] }],
    ['the order of a union', { ...record, fields: [field, record.fields[1], { name: 'exit', type: ['Side', 'null'], default: null }] }],
  ];
  for (const [what, other] of different) it(`tells ${what} apart`, () => expect(schemaForm(other)).to.not.equal(schemaForm(record)));
});
