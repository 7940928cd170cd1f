/*
 * JSON with the place of every value, so that a finding can name line and column. Own reader: the platform's forgets places,
 * lets the last of two equal keys win, and rounds numbers that are too long.
 */

/** A value and where it stands: offsets into the text, end exclusive. */
interface Placed {
  readonly offset: number;
  readonly end: number;
}

export interface JsonEntry {
  readonly key: string;
  readonly keyOffset: number;
  readonly value: JsonNode;
}

export interface JsonObject extends Placed {
  readonly kind: 'object';
  readonly entries: readonly JsonEntry[];
}

export interface JsonArray extends Placed {
  readonly kind: 'array';
  readonly items: readonly JsonNode[];
}

export interface JsonString extends Placed {
  readonly kind: 'string';
  readonly value: string;
}

export interface JsonLiteral extends Placed {
  readonly kind: 'number' | 'boolean' | 'null';
  /** As written. */
  readonly text: string;
}

export type JsonNode = JsonObject | JsonArray | JsonString | JsonLiteral;

/** Text that is not JSON; offset is where reading stopped. */
export class JsonTextError extends Error {
  override name = 'JsonTextError';
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

const MAX_DEPTH = 500;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SPACE = /[ \t\r\n]*/y;

class Reader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): JsonNode {
    // Some editors put a byte order mark first.
    if (this.text.startsWith('\ufeff')) this.at = 1;
    this.space();
    const node = this.value(0);
    this.space();
    if (this.at < this.text.length) throw new JsonTextError('text after the end of the value', this.at);
    return node;
  }

  private value(depth: number): JsonNode {
    if (depth > MAX_DEPTH) throw new JsonTextError(`nested more than ${MAX_DEPTH} deep`, this.at);
    switch (this.text[this.at]) {
      case '{':
        return this.object(depth);
      case '[':
        return this.array(depth);
      case '"':
        return this.string();
      case undefined:
        throw new JsonTextError('a value is missing: the text ends here', this.at);
      default:
        return this.literal();
    }
  }

  private object(depth: number): JsonObject {
    const offset = this.at++;
    const entries: JsonEntry[] = [];
    const keys = new Set<string>();
    this.space();
    while (this.text[this.at] !== '}') {
      if (entries.length > 0) this.expect(',', 'a comma or }');
      if (this.text[this.at] !== '"') throw new JsonTextError('a key in double quotes is missing', this.at);
      const key = this.string();
      if (keys.has(key.value)) throw new JsonTextError(`key ${JSON.stringify(key.value)} stands twice in one object`, key.offset);
      keys.add(key.value);
      this.space();
      this.expect(':', 'a colon after the key');
      entries.push({ key: key.value, keyOffset: key.offset, value: this.value(depth + 1) });
      this.space();
    }
    return { kind: 'object', entries, offset, end: ++this.at };
  }

  private array(depth: number): JsonArray {
    const offset = this.at++;
    const items: JsonNode[] = [];
    this.space();
    while (this.text[this.at] !== ']') {
      if (items.length > 0) this.expect(',', 'a comma or ]');
      items.push(this.value(depth + 1));
      this.space();
    }
    return { kind: 'array', items, offset, end: ++this.at };
  }

  private string(): JsonString {
    const offset = this.at;
    const raw = this.match(STRING);
    if (raw === null) throw new JsonTextError('a text that does not end on its line, or holds a wrong escape', offset);
    return { kind: 'string', value: JSON.parse(raw) as string, offset, end: this.at };
  }

  private literal(): JsonLiteral {
    const offset = this.at;
    for (const [text, kind] of [['true', 'boolean'], ['false', 'boolean'], ['null', 'null']] as const) {
      if (this.text.startsWith(text, offset)) {
        this.at += text.length;
        return { kind, text, offset, end: this.at };
      }
    }
    const text = this.match(NUMBER);
    if (text === null) throw new JsonTextError(`${JSON.stringify(this.text[offset])} begins no value`, offset);
    return { kind: 'number', text, offset, end: this.at };
  }

  private expect(character: string, what: string): void {
    if (this.text[this.at] !== character) throw new JsonTextError(this.at < this.text.length ? `${what} is missing` : `${what} is missing: the text ends here`, this.at);
    this.at++;
    this.space();
  }

  private space(): void {
    this.match(SPACE);
  }

  private match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) return null;
    this.at = pattern.lastIndex;
    return found[0];
  }
}

/** Throws JsonTextError. */
export function readJson(text: string): JsonNode {
  return new Reader(text).document();
}

/** Value of a key; undefined if the object has none, or the node is no object. */
export function entryOf(node: JsonNode, key: string): JsonNode | undefined {
  return node.kind === 'object' ? node.entries.find((entry) => entry.key === key)?.value : undefined;
}

/** The value as the platform's own reader gives it. */
export function plainValue(node: JsonNode): unknown {
  switch (node.kind) {
    case 'object':
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, plainValue(value)]));
    case 'array':
      return node.items.map(plainValue);
    case 'string':
      return node.value;
    default:
      return JSON.parse(node.text);
  }
}

/** Line and column, both from 1, of an offset; columns count characters as editors do. */
export function lineAndColumn(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: [...before.slice(lineStart)].length + 1 };
}
