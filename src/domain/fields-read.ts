import type { RecordName, RecordTypes } from './records.js';

/** Of records by these names only these fields are wanted. */
export type FieldsRead = { readonly [N in RecordName]?: readonly (keyof RecordTypes[N] & string)[] };
