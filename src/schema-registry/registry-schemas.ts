import { GuidedError } from '../config/guided-error.js';
import type { RecordSchema } from '../avro/record-schema.js';
import { schemaForm } from '../avro/schema-form.js';
import type { SchemaSource } from '../avro/schema-source.js';
import type { RecordSubject } from './record-subjects.js';
import type { RegistryClient } from './registry-client.js';

/** An id that was unknown may be registered a moment later; until then one question is enough for all its records. */
const UNKNOWN_FOR_MS = 30_000;

type AskedClient = Pick<RegistryClient, 'schemaText' | 'version' | 'versions'>;

/**
 * Schema ids of a registry. Our own schemas must be registered under all of the subjects given; ids of other writers are
 * asked for once, and one that does not exist again only after half a minute. `now` in milliseconds, of any epoch.
 */
export class RegistrySchemas implements SchemaSource {
  private readonly client: AskedClient;
  private readonly subjects: readonly RecordSubject[];
  private readonly now: () => number;
  private readonly asked = new Map<number, Promise<string | null>>();
  private readonly unknownSince = new Map<number, number>();

  constructor(client: AskedClient, subjects: readonly RecordSubject[], now: () => number = () => performance.now()) {
    this.client = client;
    this.subjects = subjects;
    this.now = now;
  }

  /** Rejects with what is not registered and how to mend it. */
  async idOf(record: RecordSchema): Promise<number> {
    const own = this.subjects.filter((subject) => subject.record.name === record.name);
    const ids = await Promise.all(own.map(async ({ subject }) => ({ subject, id: await this.registeredId(subject, record) })));
    const missing = ids.filter(({ id }) => id === null).map(({ subject }) => subject);
    const id = ids[0]?.id;
    if (missing.length > 0 || id === undefined || id === null) {
      throw new GuidedError(`the schema of ${record.name} is not registered as this version has it: ${missing.join(', ') || 'no topic carries it'}`, 'run `position-linker schemas register` with the same namespace');
    }
    return id;
  }

  textOf(id: number): Promise<string | null> {
    const since = this.unknownSince.get(id);
    if (since !== undefined && this.now() - since < UNKNOWN_FOR_MS) return Promise.resolve(null);
    let question = this.asked.get(id);
    if (question === undefined) {
      question = this.ask(id);
      this.asked.set(id, question);
    }
    return question;
  }

  private async ask(id: number): Promise<string | null> {
    let text: string | null = null;
    try {
      text = await this.client.schemaText(id);
    } catch (error) {
      this.asked.delete(id);
      throw error;
    }
    if (text === null) {
      this.asked.delete(id);
      this.unknownSince.set(id, this.now());
    } else {
      this.unknownSince.delete(id);
    }
    return text;
  }

  /** Id of the newest version that says the same as our schema, docs aside. */
  private async registeredId(subject: string, record: RecordSchema): Promise<number | null> {
    const form = schemaForm(record.schema);
    const latest = await this.client.version(subject, 'latest');
    if (latest === null) return null;
    if (schemaForm(JSON.parse(latest.schema)) === form) return latest.id;
    for (const number of [...(await this.client.versions(subject))].reverse()) {
      const version = await this.client.version(subject, number);
      if (version !== null && schemaForm(JSON.parse(version.schema)) === form) return version.id;
    }
    return null;
  }
}
