import type { Place, TypeUse } from './avro-schema.js';
import { isNamed } from './avro-schema.js';

/** One step from a type into it. */
export type TypeStep = { readonly field: string } | { readonly branch: number } | 'items' | 'values';

/** What the decoder says about one reader and one writer. */
export interface DecoderRefusal {
  /** From the root to the innermost types that the decoder cannot bring together. */
  readonly readerSteps: readonly TypeStep[];
  readonly writerSteps: readonly TypeStep[];
  /** In the decoder's own words. */
  readonly message: string;
}

/** The library that will decode records, asked instead of imitated. Schemas are plain JSON. */
export interface Decoder {
  /** Name and version, for messages. */
  readonly name: string;
  /** Why the decoder cannot use the schema at all; null if it can. */
  unusable(schema: unknown): string | null;
  /** Empty if it resolves the writer's records, or if one of the schemas is unusable. */
  refusals(reader: unknown, writer: unknown): readonly DecoderRefusal[];
}

/** Where a path of steps ends, and the innermost record field on the way. */
export function stepInto(root: TypeUse, steps: readonly TypeStep[]): { readonly use: TypeUse; readonly subject: string | null; readonly place: Place } {
  let use = root;
  let subject: string | null = isNamed(root.type) ? root.type.fullName : null;
  for (const step of steps) {
    const { type } = use;
    let next: TypeUse | undefined;
    if (typeof step === 'object' && 'field' in step && type.kind === 'record') {
      next = type.fields.find((field) => field.name === step.field)?.type;
      subject = `${type.fullName}.${step.field}`;
    } else if (typeof step === 'object' && 'branch' in step && type.kind === 'union') next = type.branches[step.branch];
    else if (step === 'items' && type.kind === 'array') next = type.items;
    else if (step === 'values' && type.kind === 'map') next = type.values;
    if (next === undefined) break;
    use = next;
  }
  return { use, subject, place: use.place };
}
