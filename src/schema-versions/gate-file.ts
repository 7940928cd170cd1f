import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type Pair } from 'yaml';
import { NO_GATE_FILE, type GateRules, type RuleException } from '../schema-gate/gate-rules.js';
import { COMPATIBILITY_LEVELS, DEFAULT_LEVEL, type CompatibilityLevel } from '../schema-gate/levels.js';
import { EXCEPTABLE_RULES, groupOf } from '../schema-gate/rule-names.js';
import { DEFAULT_STYLE, STYLE_RULES, type StyleRule } from '../schema-gate/style.js';
import { folderOf } from './schema-folder.js';

/** Levels and exceptions stand beside the schemas. */
export const GATE_FILE = 'gate.yaml';

/** The gate file of a folder of schemas; the defaults where there is none. What is wrong with it is among its problems. */
export function readGateFile(folder: string): GateRules {
  const file = join(folderOf(folder), GATE_FILE);
  return existsSync(file) ? parseGateFile(file, readFileSync(file, 'utf8')) : NO_GATE_FILE;
}

export function parseGateFile(file: string, text: string): GateRules {
  return new GateFileReader(file, text).rules();
}

interface Entry {
  readonly key: string;
  readonly keyNode: Node;
  readonly value: Node | null;
}

class GateFileReader {
  private readonly problems: { message: string; line: number; column: number }[] = [];
  private readonly lines = new LineCounter();
  private readonly file: string;
  private readonly root: Node | null;

  constructor(file: string, text: string) {
    this.file = file;
    const document = parseDocument(text, { lineCounter: this.lines, uniqueKeys: true, prettyErrors: false });
    for (const error of document.errors) this.problemAt(error.pos[0], error.message);
    this.root = document.contents as Node | null;
  }

  rules(): GateRules {
    const rules = { ...NO_GATE_FILE, file: this.file, problems: this.problems };
    if (this.root === null || this.problems.length > 0) return rules;
    for (const { key, keyNode, value } of this.entries(this.root, 'the file')) {
      if (key === 'level') rules.level = this.level(value ?? keyNode);
      else if (key === 'subjects') rules.subjectLevels = new Map(this.entries(value ?? keyNode, '"subjects"').map((entry) => [entry.key, this.level(entry.value ?? entry.keyNode)]));
      else if (key === 'decoder') rules.isDecoderStrict = this.choice(value ?? keyNode, ['avsc', 'strict'], 'decoder') === 'strict';
      else if (key === 'style') rules.style = [...new Set([...DEFAULT_STYLE, ...this.styleRules(value ?? keyNode)])];
      else if (key === 'exceptions') rules.exceptions = this.items(value ?? keyNode, '"exceptions"').flatMap((item) => this.exception(item));
      else this.problem(keyNode, `${JSON.stringify(key)} is none of level, subjects, decoder, style, exceptions`);
    }
    return rules;
  }

  private level(node: Node): CompatibilityLevel {
    return (this.choice(node, COMPATIBILITY_LEVELS, 'level') ?? DEFAULT_LEVEL) as CompatibilityLevel;
  }

  private styleRules(node: Node): readonly StyleRule[] {
    const known = Object.keys(STYLE_RULES);
    return this.items(node, '"style"').flatMap((item) => {
      const rule = this.choice(item, known, 'style rule');
      return rule === null ? [] : [rule as StyleRule];
    });
  }

  private exception(node: Node): readonly RuleException[] {
    const entries = this.entries(node, 'an exception');
    const text = (key: string): string | null => {
      const value = entries.find((entry) => entry.key === key)?.value;
      return isScalar(value) && typeof value.value === 'string' && value.value.trim() !== '' ? value.value.trim() : null;
    };
    for (const { key, keyNode } of entries) if (!['rule', 'field', 'reason'].includes(key)) this.problem(keyNode, `an exception has rule, field and reason, not ${JSON.stringify(key)}`);
    const [rule, subject, reason] = [text('rule'), text('field'), text('reason')];
    if (rule === null || subject === null || reason === null) {
      const missing = [['rule', rule], ['field', subject], ['reason', reason]].filter(([, value]) => value === null).map(([key]) => key);
      this.problem(node, `the exception lacks its ${missing.join(' and ')}`);
      return [];
    }
    if (!EXCEPTABLE_RULES.includes(rule)) {
      const isOther = groupOf(rule) !== 'hazards';
      this.problem(node, isOther ? `${rule} cannot be excepted; a subject may have another level` : `there is no rule ${rule}; there are ${EXCEPTABLE_RULES.join(', ')}`);
      return [];
    }
    const { line, col } = this.lines.linePos(node.range?.[0] ?? 0);
    return [{ rule, subject, reason, line, column: col }];
  }

  private choice(node: Node, choices: readonly string[], what: string): string | null {
    const value = isScalar(node) ? node.value : null;
    if (typeof value === 'string' && choices.includes(value)) return value;
    this.problem(node, `${what} must be one of ${choices.join(', ')}`);
    return null;
  }

  private entries(node: Node, what: string): readonly Entry[] {
    if (!isMap(node)) {
      this.problem(node, `${what} must be a mapping`);
      return [];
    }
    return node.items.map((item) => {
      const { key, value } = item as Pair<Node, Node | null>;
      return { key: String(isScalar(key) ? key.value : key), keyNode: key, value };
    });
  }

  private items(node: Node, what: string): readonly Node[] {
    if (isSeq(node)) return node.items as Node[];
    this.problem(node, `${what} must be a list`);
    return [];
  }

  private problem(node: Node, message: string): void {
    this.problemAt(node.range?.[0] ?? 0, message);
  }

  private problemAt(offset: number, message: string): void {
    const { line, col } = this.lines.linePos(offset);
    this.problems.push({ message, line, column: col });
  }
}
