/*
 * Every kind of edit that must not get in, made on a record that has something of everything. One edit, one rule.
 */

export interface Edit {
  readonly rule: string;
  readonly what: string;
  /** Text of the base that is replaced, at its first place, and what by. */
  readonly from: string;
  readonly to: string;
  /** Text of the edited file that the finding's line must hold. */
  readonly at: string;
}

export const BASE_FILE = 'trade.avsc';

/** Passes the gate with all its rules: the exception in the gate file is for an enum that cannot grow. */
export const BASE = `{
  "type": "record",
  "name": "Trade",
  "namespace": "desk",
  "doc": "A trade.",
  "fields": [
    { "name": "id", "type": { "type": "string", "logicalType": "uuid" }, "doc": "Id." },
    { "name": "price", "type": { "type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 18 }, "doc": "Price." },
    { "name": "count", "type": "long", "default": 0, "doc": "How many." },
    { "name": "place", "type": ["null", "string"], "default": null, "doc": "Where." },
    { "name": "note", "type": "string", "doc": "Note." },
    { "name": "traded_at", "type": { "type": "long", "logicalType": "timestamp-millis" }, "doc": "When." },
    { "name": "side", "type": { "type": "enum", "name": "Side", "doc": "Side.", "symbols": ["Buy", "Sell", "None"], "default": "None" }, "doc": "Side." },
    { "name": "leg", "type": { "type": "enum", "name": "Leg", "doc": "Leg.", "symbols": ["Long", "Short"] }, "doc": "Leg." },
    { "name": "hash", "type": { "type": "fixed", "name": "Hash", "doc": "Hash.", "size": 16 }, "doc": "Hash." }
  ]
}
`;

export const GATE_FILE_TEXT = `style: [field-name, type-name, namespace-missing, nullable-without-default, time-unit]
exceptions:
  - rule: enum-without-default
    field: Leg
    reason: a contract is long or short
`;

const added = (field: string): Pick<Edit, 'from' | 'to'> => ({ from: '"doc": "Hash." }\n  ]', to: `"doc": "Hash." },\n    ${field}\n  ]` });

export const BREAKING_EDITS: readonly Edit[] = [
  // What Avro's rules stop.
  { rule: 'type-mismatch', what: 'another type', from: '"name": "note", "type": "string"', to: '"name": "note", "type": "int"', at: '"note"' },
  { rule: 'type-mismatch', what: 'null taken from a type', from: '["null", "string"], "default": null', to: '"string", "default": ""', at: '"place"' },
  { rule: 'union-branch-missing', what: 'a wider type in a union', from: '["null", "string"]', to: '["null", "long"]', at: '"place"' },
  { rule: 'name-mismatch', what: 'another name of a type', from: '"name": "Hash"', to: '"name": "Digest"', at: '"Digest"' },
  { rule: 'fixed-size-mismatch', what: 'another size', from: '"size": 16', to: '"size": 32', at: '"size": 32' },
  { rule: 'enum-symbols-missing', what: 'a symbol more where readers have no default', from: '["Long", "Short"]', to: '["Long", "Short", "Flat"]', at: '"Flat"' },
  { rule: 'reader-field-without-default', what: 'a field more without a default', ...added('{ "name": "fee_rate", "type": "string", "doc": "Rate." }'), at: '"fee_rate"' },
  { rule: 'reader-field-without-default', what: 'a field less that had no default', from: '    { "name": "note", "type": "string", "doc": "Note." },\n', to: '', at: '"fields"' },
  { rule: 'reader-field-ambiguous', what: 'an alias of a field that is still there', from: '"name": "count", "type": "long", "default": 0', to: '"name": "count", "aliases": ["note"], "type": "long", "default": 0', at: '"count"' },
  { rule: 'reader-field-ambiguous', what: 'an alias that is the name', from: '"name": "note"', to: '"name": "note", "aliases": ["note"]', at: '"note"' },
  // What cannot be read at all.
  { rule: 'invalid-json', what: 'a comma too many', from: '"doc": "Hash." }\n', to: '"doc": "Hash." },\n', at: ']' },
  { rule: 'invalid-schema', what: 'a type that nobody defined', from: '"name": "note", "type": "string"', to: '"name": "note", "type": "text"', at: '"text"' },
  { rule: 'invalid-default', what: 'a default of another type', from: '"default": 0', to: '"default": "0"', at: '"count"' },
  // What the decoder stops.
  { rule: 'decoder-refuses', what: 'another namespace inside', from: '"name": "Side", ', to: '"name": "Side", "namespace": "desk.sides", ', at: '"Side"' },
  { rule: 'decoder-unusable', what: 'a default of the second branch', from: '"type": ["null", "string"], "default": null', to: '"type": ["null", "string"], "default": "here"', at: '{' },
  // What registries let pass.
  { rule: 'decimal-changed', what: 'another scale', from: '"scale": 18', to: '"scale": 8', at: '"scale": 8' },
  { rule: 'decimal-changed', what: 'another precision', from: '"precision": 38', to: '"precision": 40', at: '"precision": 40' },
  { rule: 'decimal-string', what: 'text for a decimal', from: '{ "type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 18 }', to: '"string"', at: '"price"' },
  { rule: 'logical-type-changed', what: 'micros for millis', from: 'timestamp-millis', to: 'timestamp-micros', at: '"traded_at"' },
  { rule: 'logical-type-changed', what: 'a bare number for a time', from: '{ "type": "long", "logicalType": "timestamp-millis" }', to: '"long"', at: '"traded_at"' },
  { rule: 'logical-type-changed', what: 'a time for a bare number', from: '"name": "count", "type": "long"', to: '"name": "count", "type": { "type": "long", "logicalType": "timestamp-millis" }', at: '"count"' },
  { rule: 'uuid-dropped', what: 'an id that need not be one', from: '{ "type": "string", "logicalType": "uuid" }', to: '"string"', at: '"id"' },
  { rule: 'lossy-promotion', what: 'a double for a long', from: '"name": "count", "type": "long"', to: '"name": "count", "type": "double"', at: '"count"' },
  { rule: 'default-changed', what: 'another default', from: '"default": 0', to: '"default": 1', at: '"count"' },
  { rule: 'default-changed', what: 'another symbol for unknown ones', from: '"default": "None"', to: '"default": "Buy"', at: '"Side"' },
  { rule: 'namespace-changed', what: 'another namespace', from: '"namespace": "desk"', to: '"namespace": "floor"', at: '"floor"' },
  { rule: 'field-renamed-without-alias', what: 'another name of a field', from: '"name": "count"', to: '"name": "number"', at: '"number"' },
  { rule: 'enum-without-default', what: 'an enum more that may grow', ...added('{ "name": "mood", "type": { "type": "enum", "name": "Mood", "doc": "Mood.", "symbols": ["Up"] }, "default": "Up", "doc": "Mood." }'), at: '"mood"' },
  { rule: 'doc-missing', what: 'a field more that nobody explains', ...added('{ "name": "depth", "type": "int", "default": 0 }'), at: '"depth"' },
  // How schemas are written here.
  { rule: 'float-amount', what: 'a price that rounds', ...added('{ "name": "mark_price", "type": "double", "default": 0, "doc": "Mark price." }'), at: '"mark_price"' },
  { rule: 'field-name', what: 'a name that is no column', ...added('{ "name": "markAt", "type": "int", "default": 0, "doc": "Mark." }'), at: '"markAt"' },
  { rule: 'type-name', what: 'a type in small letters', ...added('{ "name": "mark", "type": { "type": "fixed", "name": "mark", "doc": "Mark.", "size": 1 }, "default": "x", "doc": "Mark." }'), at: '"mark"' },
  { rule: 'nullable-without-default', what: 'null without a default of null', ...added('{ "name": "mark", "type": ["string", "null"], "default": "", "doc": "Mark." }'), at: '"mark"' },
  { rule: 'time-unit', what: 'a time in micros', ...added('{ "name": "seen_at", "type": { "type": "long", "logicalType": "timestamp-micros" }, "default": 0, "doc": "Seen." }'), at: '"seen_at"' },
];
