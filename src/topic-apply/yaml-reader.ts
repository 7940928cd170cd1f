import { GuidedError } from '../config/guided-error.js';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type Pair, type YAMLMap } from 'yaml';

/** All that is wrong with a file, each with file:line:column. */
export class YamlFileError extends GuidedError {
  override name = 'YamlFileError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.length === 1 ? (problems[0] as string) : `${problems.length} places:\n${problems.join('\n')}`, 'mend what stands there, then run it again');
    this.problems = problems;
  }
}

export interface YamlEntry {
  readonly key: string;
  readonly keyNode: Node;
  readonly value: Node | null;
}

/** Reads a YAML file node by node and collects every problem with its place, instead of stopping at the first. */
export class YamlReader {
  readonly root: Node | null;
  private readonly file: string;
  private readonly lines = new LineCounter();
  private readonly problems: { readonly offset: number; readonly message: string }[] = [];

  constructor(file: string, text: string) {
    this.file = file;
    const document = parseDocument(text, { lineCounter: this.lines, uniqueKeys: true, prettyErrors: false });
    for (const error of document.errors) this.add(error.pos[0], error.message);
    this.root = document.contents as Node | null;
  }

  problem(node: Node | null, message: string): void {
    this.add(node?.range?.[0] ?? 0, message);
  }

  /** file:line:column */
  placeOf(node: Node | null): string {
    return this.place(node?.range?.[0] ?? 0);
  }

  /** Everything found so far, in the order of the file; lines and columns from 1. */
  found(): readonly { readonly message: string; readonly line: number; readonly column: number }[] {
    return [...this.problems].sort((a, b) => a.offset - b.offset).map(({ offset, message }) => ({ message, ...this.lineAndColumn(offset) }));
  }

  /** Where a node begins, both from 1. */
  lineAndColumnOf(node: Node): { readonly line: number; readonly column: number } {
    return this.lineAndColumn(node.range?.[0] ?? 0);
  }

  /** Throws if anything was found so far, in the order of the file. */
  check(): void {
    const sorted = this.found().map(({ message, line, column }) => `${this.file}:${line}:${column}: ${message}`);
    if (sorted.length > 0) throw new YamlFileError([...new Set(sorted)]);
  }

  /** Entries of a mapping in file order; keys outside `known`, if given, are problems. */
  entries(node: Node | null, what: string, known?: readonly string[]): YamlEntry[] {
    if (!isMap(node)) {
      this.problem(node, `${what} must be a mapping`);
      return [];
    }
    const entries = (node as YAMLMap).items.map((pair) => entryOf(pair as Pair<Node, Node | null>));
    for (const { key, keyNode } of entries) {
      if (known !== undefined && !known.includes(key)) this.problem(keyNode, `${what} has no ${JSON.stringify(key)}; it has ${known.join(', ')}`);
    }
    return entries;
  }

  /** One entry of a mapping; null where it is none or has no such key. */
  optional(node: Node | null, key: string): YamlEntry | null {
    if (!isMap(node)) return null;
    return (node as YAMLMap).items.map((pair) => entryOf(pair as Pair<Node, Node | null>)).find((entry) => entry.key === key) ?? null;
  }

  text(node: Node | null, what: string): string {
    if (isScalar(node) && typeof node.value === 'string' && node.value.trim() !== '') return node.value;
    this.problem(node, `${what} must be a text`);
    return '';
  }

  wholeNumber(node: Node | null, what: string, min: number): number {
    if (isScalar(node) && Number.isSafeInteger(node.value) && (node.value as number) >= min) return node.value as number;
    this.problem(node, `${what} must be a whole number of at least ${min}`);
    return min;
  }

  /** Entries of a list. */
  items(node: Node | null, what: string): readonly Node[] {
    if (isSeq(node)) return node.items as Node[];
    this.problem(node, `${what} must be a list`);
    return [];
  }

  /** One of these words; null, and a problem, otherwise. */
  choice<const T extends string>(node: Node | null, choices: readonly T[], what: string): T | null {
    const value = isScalar(node) ? choices.find((choice) => choice === node.value) : undefined;
    if (value === undefined) this.problem(node, `${what} must be one of ${choices.join(', ')}`);
    return value ?? null;
  }

  texts(node: Node | null, what: string): readonly { readonly text: string; readonly node: Node }[] {
    return this.items(node, what).map((item) => ({ text: this.text(item, `an entry of ${what}`), node: item }));
  }

  /** A value as Kafka writes it. A number that does not survive as one must be quoted. */
  configValue(node: Node | null, what: string): string {
    const value = isScalar(node) ? node.value : undefined;
    if (typeof value === 'string' && value !== '') return value;
    if (typeof value === 'boolean' || Number.isSafeInteger(value)) return String(value);
    this.problem(node, typeof value === 'number' ? `${what} must be quoted: the number would not stay exact` : `${what} must be a text, a number or true or false`);
    return '';
  }

  private add(offset: number, message: string): void {
    this.problems.push({ offset, message });
  }

  private place(offset: number): string {
    const { line, column } = this.lineAndColumn(offset);
    return `${this.file}:${line}:${column}`;
  }

  private lineAndColumn(offset: number): { readonly line: number; readonly column: number } {
    const { line, col } = this.lines.linePos(offset);
    return { line, column: col };
  }
}

function entryOf(pair: Pair<Node, Node | null>): YamlEntry {
  const key = isScalar(pair.key) ? String(pair.key.value) : '';
  return { key, keyNode: pair.key, value: pair.value };
}
