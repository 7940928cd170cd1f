import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { recordTypesText, type AvroNamedSchema } from './record-types.js';

/** The text that the file of record types must have, from the schemas of a folder. */
export function typesFileText(folder: string): string {
  const files = readdirSync(folder).filter((file) => file.endsWith('.avsc'));
  return recordTypesText(
    files.map((file) => {
      try {
        return JSON.parse(readFileSync(join(folder, file), 'utf8')) as AvroNamedSchema;
      } catch (error) {
        throw new Error(`${join(folder, file)} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
      }
    }),
  );
}

/** What the file holds now; empty if there is none. */
export function currentText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
