import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isScalar, type Node } from 'yaml';
import { NO_GATE_FILE, type GateRules, type RuleException } from '../schema-gate/gate-rules.js';
import { COMPATIBILITY_LEVELS, DEFAULT_LEVEL, type CompatibilityLevel } from '../schema-gate/levels.js';
import { EXCEPTABLE_RULES, groupOf } from '../schema-gate/rule-names.js';
import { DEFAULT_STYLE, STYLE_RULES, type StyleRule } from '../schema-gate/style.js';
import { YamlReader, type YamlEntry } from '../topic-apply/yaml-reader.js';
import { folderOf } from './schema-folder.js';

/** Levels and exceptions stand beside the schemas. */
export const GATE_FILE = 'gate.yaml';

const KEYS = ['level', 'subjects', 'decoder', 'style', 'exceptions'];
const EXCEPTION_KEYS = ['rule', 'field', 'reason'] as const;

/** The gate file of a folder of schemas; the defaults where there is none. What is wrong with it is among its problems. */
export function readGateFile(folder: string): GateRules {
  const file = join(folderOf(folder), GATE_FILE);
  return existsSync(file) ? parseGateFile(file, readFileSync(file, 'utf8')) : NO_GATE_FILE;
}

export function parseGateFile(file: string, text: string): GateRules {
  const reader = new YamlReader(file, text);
  const rules = { ...NO_GATE_FILE, file };
  if (reader.root !== null && reader.found().length === 0) {
    for (const { key, keyNode, value } of reader.entries(reader.root, 'the file', KEYS)) {
      const node = value ?? keyNode;
      if (key === 'level') rules.level = level(reader, node);
      else if (key === 'subjects') rules.subjectLevels = new Map(reader.entries(node, '"subjects"').map((entry) => [entry.key, level(reader, entry.value ?? entry.keyNode)]));
      else if (key === 'decoder') rules.isDecoderStrict = reader.choice(node, ['avsc', 'strict'], 'decoder') === 'strict';
      else if (key === 'style') rules.style = [...new Set([...DEFAULT_STYLE, ...styleRules(reader, node)])];
      else if (key === 'exceptions') rules.exceptions = reader.items(node, '"exceptions"').flatMap((item) => exception(reader, item));
    }
  }
  return { ...rules, problems: reader.found() };
}

function level(reader: YamlReader, node: Node): CompatibilityLevel {
  return reader.choice(node, COMPATIBILITY_LEVELS, 'level') ?? DEFAULT_LEVEL;
}

function styleRules(reader: YamlReader, node: Node): readonly StyleRule[] {
  const known = Object.keys(STYLE_RULES) as StyleRule[];
  return reader.items(node, '"style"').map((item) => reader.choice(item, known, 'style rule')).filter((rule) => rule !== null);
}

function exception(reader: YamlReader, node: Node): readonly RuleException[] {
  const entries = reader.entries(node, 'an exception', EXCEPTION_KEYS);
  const [rule, subject, reason] = EXCEPTION_KEYS.map((key) => textOf(entries, key)) as [string | null, string | null, string | null];
  if (rule === null || subject === null || reason === null) {
    const missing = EXCEPTION_KEYS.filter((key) => textOf(entries, key) === null);
    reader.problem(node, `the exception lacks its ${missing.join(' and ')}`);
    return [];
  }
  if (!EXCEPTABLE_RULES.includes(rule)) {
    const isOther = groupOf(rule) !== 'hazards';
    reader.problem(node, isOther ? `${rule} cannot be excepted; a subject may have another level` : `there is no rule ${rule}; there are ${EXCEPTABLE_RULES.join(', ')}`);
    return [];
  }
  return [{ rule, subject, reason, ...reader.lineAndColumnOf(node) }];
}

function textOf(entries: readonly YamlEntry[], key: string): string | null {
  const value = entries.find((entry) => entry.key === key)?.value;
  return isScalar(value) && typeof value.value === 'string' && value.value.trim() !== '' ? value.value.trim() : null;
}
