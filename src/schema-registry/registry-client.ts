import { setTimeout as sleep } from 'node:timers/promises';
import { GuidedError } from '../config/guided-error.js';
import type { CompatibilityLevel } from '../schema-gate/levels.js';

export interface RegisteredSchema {
  readonly id: number;
  readonly version: number;
  /** JSON text, in the registry's own spelling. */
  readonly schema: string;
}

/** The registry could not be asked, or refused. */
export class RegistryError extends GuidedError {
  override name = 'RegistryError';
}

/** The registry compared the schema with earlier versions and said no. */
export class IncompatibleSchemaError extends GuidedError {
  override name = 'IncompatibleSchemaError';
}

interface Answer {
  readonly status: number;
  /** Confluent's error code; null when there is none. */
  readonly code: number | null;
  readonly body: unknown;
}

const MEDIA_TYPE = 'application/vnd.schemaregistry.v1+json';
const TIMEOUT_MS = 10_000;
const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 100;

const NO_CONFLUENT_API = "see that SCHEMA_REGISTRY_URL, its path included, is that of a registry with Confluent's API (Apicurio has it under /apis/ccompat/v7)";

const SUBJECT_NOT_FOUND = 40401;
const VERSION_NOT_FOUND = 40402;
const SCHEMA_NOT_FOUND = 40403;
const NO_SUBJECT_LEVEL = 40408;

interface Endpoint {
  readonly base: string;
  readonly authorization: string | null;
}

/**
 * Confluent's schema registry API, as Confluent, Apicurio and others serve it. Several URLs separated by commas are tried
 * in turn; each may hold a path and user:password. A 404 counts as "there is none" only with the API's own error code:
 * any other one means that this is no registry.
 */
export class RegistryClient {
  private readonly endpoints: readonly Endpoint[];
  private preferred = 0;

  constructor(urls: string) {
    this.endpoints = urls.split(',').map((url) => endpoint(url.trim()));
  }

  /** Text of the schema with this id; null if there is none. */
  async schemaText(id: number): Promise<string | null> {
    const answer = await this.ask('GET', `schemas/ids/${id}`, undefined, [SCHEMA_NOT_FOUND]);
    return answer === null ? null : (answer as { readonly schema: string }).schema;
  }

  /** Version numbers of a subject, ascending; empty if there is no such subject. */
  async versions(subject: string): Promise<readonly number[]> {
    const answer = await this.ask('GET', `subjects/${encodeURIComponent(subject)}/versions`, undefined, [SUBJECT_NOT_FOUND]);
    return answer === null ? [] : [...(answer as readonly number[])].sort((a, b) => a - b);
  }

  /** Null if the subject has no such version. */
  async version(subject: string, version: number | 'latest'): Promise<RegisteredSchema | null> {
    const path = `subjects/${encodeURIComponent(subject)}/versions/${version}`;
    return (await this.ask('GET', path, undefined, [SUBJECT_NOT_FOUND, VERSION_NOT_FOUND])) as RegisteredSchema | null;
  }

  /** Id under which the text is known from now on. Throws IncompatibleSchemaError. */
  async register(subject: string, schema: string): Promise<number> {
    const answer = await this.ask('POST', `subjects/${encodeURIComponent(subject)}/versions`, { schema }, []);
    return (answer as { readonly id: number }).id;
  }

  /** The subject's own level; null if it has none (some registries then answer their global one). */
  async level(subject: string): Promise<CompatibilityLevel | null> {
    const answer = await this.ask('GET', `config/${encodeURIComponent(subject)}?defaultToGlobal=false`, undefined, [SUBJECT_NOT_FOUND, NO_SUBJECT_LEVEL]);
    return answer === null ? null : (answer as { readonly compatibilityLevel: CompatibilityLevel }).compatibilityLevel;
  }

  /** The level of subjects without one of their own. */
  async globalLevel(): Promise<CompatibilityLevel> {
    return ((await this.ask('GET', 'config', undefined, [])) as { readonly compatibilityLevel: CompatibilityLevel }).compatibilityLevel;
  }

  async setLevel(subject: string, level: CompatibilityLevel): Promise<void> {
    await this.ask('PUT', `config/${encodeURIComponent(subject)}`, { compatibility: level }, []);
  }

  /** Subjects that begin with the prefix. */
  async subjects(prefix: string): Promise<readonly string[]> {
    const names = (await this.ask('GET', 'subjects', undefined, [])) as readonly string[];
    return names.filter((name) => name.startsWith(prefix)).sort();
  }

  /** All versions; nothing to do where there are none. */
  async deleteSubject(subject: string): Promise<void> {
    await this.ask('DELETE', `subjects/${encodeURIComponent(subject)}`, undefined, [SUBJECT_NOT_FOUND]);
  }

  /** Body of the answer; null if its error code is one of those that mean "none". */
  private async ask(method: string, path: string, body: object | undefined, none: readonly number[]): Promise<unknown> {
    let failure: unknown;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (attempt >= this.endpoints.length) await sleep(FIRST_PAUSE_MS * 2 ** (attempt - this.endpoints.length));
      try {
        const answer = await send(this.endpoints[this.preferred] as Endpoint, method, path, body);
        if (answer.status < 500 && !isCollision(answer)) return this.bodyOf(answer, method, path, none);
        failure = new Error(describe(answer));
      } catch (error) {
        if (error instanceof GuidedError) throw error;
        failure = error;
      }
      this.preferred = (this.preferred + 1) % this.endpoints.length;
    }
    const hint = isUntrusted(failure) ? "put the PEM file of the authority that signed the registry's certificate into NODE_EXTRA_CA_CERTS" : 'see that SCHEMA_REGISTRY_URL is right and the registry is up';
    throw new RegistryError(`the schema registry at ${this.addresses()} could not be asked (${method} ${path})`, hint, { cause: failure });
  }

  private bodyOf(answer: Answer, method: string, path: string, none: readonly number[]): unknown {
    if (answer.status < 300) return answer.body;
    if (answer.code !== null && none.includes(answer.code)) return null;
    if (answer.status === 409 && method === 'POST') {
      const subject = decodeURIComponent(path.split('/')[1] ?? '');
      throw new IncompatibleSchemaError(`${subject}: the registry refuses the schema as incompatible with an earlier version: ${describe(answer)}`, 'make the change readable both ways: a new field needs a default, a type may not change, names stay or get an alias');
    }
    const hint = answer.status === 401 || answer.status === 403 ? 'put user:password into SCHEMA_REGISTRY_URL' : NO_CONFLUENT_API;
    throw new RegistryError(`the schema registry at ${this.addresses()} answered ${answer.status} to ${method} ${path}: ${describe(answer)}`, hint);
  }

  private addresses(): string {
    return this.endpoints.map(({ base }) => base).join(', ');
  }
}

/** Apicurio, when two requests make a subject at once: the second time it is there. */
function isCollision({ status, body }: Answer): boolean {
  return status === 409 && String((body as { readonly message?: unknown } | null)?.message).includes('already exists');
}

/** Whether TLS failed because nobody that is trusted signed the certificate. */
function isUntrusted(failure: unknown): boolean {
  for (let cause = failure, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if (/SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|CERT_UNTRUSTED/.test(String((cause as { readonly code?: unknown }).code))) return true;
  }
  return false;
}

function endpoint(text: string): Endpoint {
  const url = new URL(text);
  const { username, password } = url;
  url.username = '';
  url.password = '';
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { base: url.href.replace(/\/+$/, ''), authorization: username === '' ? null : `Basic ${Buffer.from(credentials).toString('base64')}` };
}

async function send({ base, authorization }: Endpoint, method: string, path: string, body: object | undefined): Promise<Answer> {
  const response = await fetch(`${base}/${path}`, {
    method,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: {
      accept: `${MEDIA_TYPE}, application/json`,
      ...(body !== undefined && { 'content-type': MEDIA_TYPE }),
      ...(authorization !== null && { authorization }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const parsed = parseJson(text);
  const code = (parsed as { readonly error_code?: unknown } | null)?.error_code;
  return { status: response.status, code: typeof code === 'number' ? code : null, body: response.ok && parsed === undefined ? fail(base, text) : (parsed ?? text) };
}

function fail(base: string, text: string): never {
  throw new RegistryError(`${base} does not answer in JSON: ${JSON.stringify(text.slice(0, 80))}`, NO_CONFLUENT_API);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describe(answer: Answer): string {
  const message = (answer.body as { readonly message?: unknown } | null)?.message;
  return `${answer.status} ${typeof message === 'string' ? message : ''}`.trim().slice(0, 500);
}
