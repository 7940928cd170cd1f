import { describeType, type EnumType, type Field, type FixedType, type RecordType, type TypeUse } from './avro-schema.js';
import { namedTypes } from './hazards.js';

/**
 * What is different in a schema, for people: a line for each field, symbol or property, + where only the new one has it, -
 * where only the old one has, ~ where it changed. Empty for schemas that say the same.
 */
export function schemaDifference(now: TypeUse, before: TypeUse): readonly string[] {
  const [mine, theirs] = [namedTypes(now), namedTypes(before)];
  const root = describeType(now.type) === describeType(before.type) ? [] : [`~ ${describeType(before.type)} → ${describeType(now.type)}`];
  return [
    ...root,
    ...mine.flatMap((type) => {
      const other = theirs.find((candidate) => candidate.fullName === type.fullName);
      return other === undefined ? [`+ ${describeType(type)}`] : namedDifference(type, other);
    }),
    ...theirs.filter((type) => !mine.some((candidate) => candidate.fullName === type.fullName)).map((type) => `- ${describeType(type)}`),
  ];
}

type Named = RecordType | EnumType | FixedType;

function namedDifference(now: Named, before: Named): readonly string[] {
  const lines: string[] = [];
  const changed = (what: string, from: string | null, to: string | null): void => {
    if (from !== to) lines.push(`~ ${now.name} ${what}: ${from ?? 'none'} → ${to ?? 'none'}`);
  };
  if (now.kind !== before.kind) return [`~ ${describeType(before)} → ${describeType(now)}`];
  changed('doc', quoted(before.doc), quoted(now.doc));
  changed('aliases', before.aliases.join(', '), now.aliases.join(', '));
  if (now.kind === 'enum' && before.kind === 'enum') {
    changed('symbols', before.symbols.join(', '), now.symbols.join(', '));
    changed('default', before.default, now.default);
  }
  if (now.kind === 'fixed' && before.kind === 'fixed') changed('type', describeType(before), describeType(now));
  if (now.kind === 'record' && before.kind === 'record') lines.push(...fieldDifferences(now, before));
  return lines;
}

function fieldDifferences(now: RecordType, before: RecordType): readonly string[] {
  const lines = now.fields.flatMap((field) => {
    const other = before.fields.find((candidate) => candidate.name === field.name);
    if (other === undefined) return [`+ ${now.name}.${field.name}: ${fieldText(field)}`];
    const [to, from] = [fieldText(field), fieldText(other)];
    return [...(to === from ? [] : [`~ ${now.name}.${field.name}: ${from} → ${to}`]), ...(field.doc === other.doc ? [] : [`~ ${now.name}.${field.name} doc: ${quoted(other.doc) ?? 'none'} → ${quoted(field.doc) ?? 'none'}`])];
  });
  lines.push(...before.fields.filter((field) => !now.fields.some((candidate) => candidate.name === field.name)).map((field) => `- ${now.name}.${field.name}: ${fieldText(field)}`));
  const order = (record: RecordType, other: RecordType): string => record.fields.filter(({ name }) => other.fields.some((field) => field.name === name)).map(({ name }) => name).join(', ');
  if (order(now, before) !== order(before, now)) lines.push(`~ ${now.name}: the order of its fields`);
  return lines;
}

function fieldText(field: Field): string {
  const aliases = field.aliases.length === 0 ? '' : `, aliases ${field.aliases.join(', ')}`;
  return `${describeType(field.type.type)}${field.default === null ? '' : `, default ${field.default.text}`}${aliases}`;
}

function quoted(text: string | null): string | null {
  return text === null ? null : JSON.stringify(text);
}
