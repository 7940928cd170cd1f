/**
 * Writes src/domain/records.ts from schemas/*.avsc. With --check writes nothing and exits 3 if the file is not current. The
 * same as `position-linker schemas types`, which needs that file to start.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { currentText, typesFileText } from '../src/avro/types-file.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'src/domain/records.ts');
const text = typesFileText(join(root, 'schemas'));
const isCurrent = currentText(target) === text;
if (process.argv.includes('--check')) {
  if (!isCurrent) {
    process.stderr.write('src/domain/records.ts is not current: run `npm run generate:types` and commit the result\n');
    process.exitCode = 3;
  }
} else if (!isCurrent) {
  writeFileSync(target, text);
  process.stderr.write('wrote src/domain/records.ts\n');
}
