import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RECORD_NAMES, type RecordName } from '../domain/records.js';
import type { AvroNamedSchema } from './record-types.js';

/** A record's schema as its file holds it. */
export interface RecordSchema {
  readonly name: RecordName;
  /** With the namespace: what subjects and other writers call it. */
  readonly fullName: string;
  readonly schema: AvroNamedSchema;
}

const FOLDER = fileURLToPath(new URL('../../schemas', import.meta.url));

/** The project's schemas, sorted by record name, one for every record type. */
export function readRecordSchemas(folder: string = FOLDER): readonly RecordSchema[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.avsc'));
  const schemas = files.map((file) => recordSchema(JSON.parse(readFileSync(join(folder, file), 'utf8')) as AvroNamedSchema));
  schemas.sort((a, b) => (a.name < b.name ? -1 : 1));
  if (schemas.map((schema) => schema.name).join() !== [...RECORD_NAMES].sort().join()) {
    throw new Error(`the schemas in ${folder} are not those the types were generated from; run \`npm run generate:types\``);
  }
  return schemas;
}

export function recordSchema(schema: AvroNamedSchema): RecordSchema {
  const fullName = schema.namespace === undefined || schema.name.includes('.') ? schema.name : `${schema.namespace}.${schema.name}`;
  return { name: schema.name as RecordName, fullName, schema };
}
