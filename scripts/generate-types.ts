/**
 * Writes src/domain/records.ts from schemas/*.avsc. With --check writes nothing and exits 3 if the file is not current.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { recordTypesText, type AvroNamedSchema } from '../src/avro/record-types.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'src/domain/records.ts');

function readSchemas(): AvroNamedSchema[] {
  const folder = join(root, 'schemas');
  const files = readdirSync(folder).filter((file) => file.endsWith('.avsc'));
  return files.map((file) => {
    try {
      return JSON.parse(readFileSync(join(folder, file), 'utf8')) as AvroNamedSchema;
    } catch (error) {
      throw new Error(`schemas/${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
}

function currentText(): string {
  try {
    return readFileSync(target, 'utf8');
  } catch {
    return '';
  }
}

const text = recordTypesText(readSchemas());
const isCurrent = currentText() === text;
if (process.argv.includes('--check')) {
  if (!isCurrent) {
    process.stderr.write('src/domain/records.ts is not current: run `npm run generate:types` and commit the result\n');
    process.exitCode = 3;
  }
} else if (!isCurrent) {
  writeFileSync(target, text);
  process.stderr.write('wrote src/domain/records.ts\n');
}
