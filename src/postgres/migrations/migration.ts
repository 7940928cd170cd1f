/** One step of the schema. Never changed once released: later steps build on what it left behind. */
export interface Migration {
  /** 1, 2, 3, … without gaps. */
  readonly version: number;
  /** A few words, as shown when it is applied. */
  readonly name: string;
  /** Statements; names without a schema mean the namespace's. */
  readonly sql: string;
}
