import type { RecordSchema } from './record-schema.js';

/** Where schema ids come from: a registry, or nobody but this process. */
export interface SchemaSource {
  /** Id under which records of this schema are written; rejects if there is none. */
  idOf(record: RecordSchema): Promise<number>;
  /** Schema text of an id; null if the source says that there is none. Rejects if the source cannot be asked. */
  textOf(id: number): Promise<string | null>;
}

/** Ids from 1 by record name, for a pipeline without servers: the same in every run of the same schemas. */
export function localSchemas(records: readonly RecordSchema[]): SchemaSource {
  const sorted = [...records].sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    idOf: async (record) => {
      const index = sorted.findIndex((candidate) => candidate.name === record.name);
      if (index < 0) throw new Error(`no schema for ${record.fullName}`);
      return index + 1;
    },
    textOf: async (id) => {
      const record = sorted[id - 1];
      return record === undefined ? null : JSON.stringify(record.schema);
    },
  };
}
