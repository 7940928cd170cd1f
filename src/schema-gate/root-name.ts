import { isNamed } from './avro-schema.js';
import type { ParsedSchema } from './schema-parser.js';

/** Full name of the root type; null if it has none, or the schema cannot be read. */
export function rootNameOf({ root }: ParsedSchema): string | null {
  return root !== null && isNamed(root.type) ? root.type.fullName : null;
}

/** Full names that the root type had before. */
export function rootAliasesOf({ root }: ParsedSchema): readonly string[] {
  return root !== null && isNamed(root.type) ? root.type.aliases : [];
}
