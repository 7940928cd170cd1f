import { describeType, type RecordType, type TypeUse } from './avro-schema.js';
import type { Remark } from './finding.js';
import { namedTypes } from './hazards.js';

/** How schemas are written here. Each can be turned off, or excepted for one field. */
export const STYLE_RULES = {
  'float-amount': 'use {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 18}: quantities, prices and money are never floats',
  'field-name': 'write field names in small letters, digits and _: they are the columns of the tables',
  'type-name': 'write names of records, enums and fixed types with a capital first and no _',
  'namespace-missing': 'give the record a "namespace": its full name is part of every subject',
  'nullable-without-default': 'put "null" first in the union and give the field "default": null, so that the field can be dropped later',
  'time-unit': 'use {"type": "long", "logicalType": "timestamp-millis"}: times are milliseconds since the epoch',
} as const;

export type StyleRule = keyof typeof STYLE_RULES;

/** What every schema is held to; the others are chosen in the gate file. */
export const DEFAULT_STYLE: readonly StyleRule[] = ['float-amount'];

/** Names of what is counted in money or contracts; a latitude may be a float. */
const AMOUNT = /price|quantity|qty|amount|size|fee|pnl|value|balance|cost|notional|margin|funding|volume|profit/i;
const FIELD_NAME = /^[a-z][a-z0-9_]*$/;
const TYPE_NAME = /^[A-Z][A-Za-z0-9]*$/;

export function styleRemarks(root: TypeUse, rules: readonly StyleRule[]): readonly Remark[] {
  const remarks = namedTypes(root).flatMap((type) => {
    const own: Remark[] = [];
    if (!TYPE_NAME.test(type.name)) own.push(remark('type-name', type.namePlace, type.fullName, `${type.kind} name ${type.name}`));
    return type.kind === 'record' ? [...own, ...type.fields.flatMap((field) => fieldRemarks(type, field))] : own;
  });
  if (root.type.kind === 'record' && root.type.namespace === '') remarks.push(remark('namespace-missing', root.type.namePlace, root.type.fullName, `record ${root.type.name} has no namespace`));
  return remarks.filter(({ rule }) => rules.includes(rule as StyleRule));
}

function fieldRemarks(record: RecordType, field: RecordType['fields'][number]): readonly Remark[] {
  const subject = `${record.fullName}.${field.name}`;
  const found: Remark[] = [];
  if (!FIELD_NAME.test(field.name)) found.push(remark('field-name', field.namePlace, subject, `field name ${field.name}`));
  const branches = field.type.type.kind === 'union' ? field.type.type.branches : [field.type];
  if (branches.length > 1 && branches.some(({ type }) => type.kind === 'null') && (field.default?.text !== 'null' || branches[0]?.type.kind !== 'null')) {
    found.push(remark('nullable-without-default', field.namePlace, subject, `field ${field.name} may be null and does not default to it`));
  }
  for (const { type, place } of branches) {
    if ((type.kind === 'float' || type.kind === 'double') && AMOUNT.test(field.name)) found.push(remark('float-amount', place, subject, `field ${field.name} is a ${describeType(type)}`));
    if ('logical' in type && type.logical !== null && /^(local-)?timestamp-(?!millis$)/.test(type.logical.name)) found.push(remark('time-unit', type.logical.place, subject, `field ${field.name} is a ${type.logical.name}`));
  }
  return found;
}

function remark(rule: StyleRule, place: Remark['place'], subject: string, says: string): Remark {
  return { rule, place, subject, says, here: null, there: null, instead: STYLE_RULES[rule] };
}
