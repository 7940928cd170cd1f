import type { Finding } from './gate.js';

export const REPORT_FORMATS = ['text', 'json', 'junit', 'github-actions'] as const;

export type ReportFormat = (typeof REPORT_FORMATS)[number];

export interface Report {
  readonly findings: readonly Finding[];
  readonly files: readonly string[];
  readonly versions: number;
  /** Earlier versions as they were asked for; null if none were. */
  readonly against: string | null;
}

/** The report in one of its forms, ending with a line break. */
export function reportText(report: Report, format: ReportFormat): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify({ findings: report.findings, checked: report.files.length, versions: report.versions, against: report.against })}\n`;
    case 'junit':
      return junit(report);
    case 'github-actions':
      return report.findings.map(annotation).join('') + summary(report);
    case 'text':
      return report.findings.map(paragraph).join('') + summary(report);
  }
}

function summary({ findings, files, versions, against }: Report): string {
  const scope = `${counted(files.length, 'schema')}${against === null ? '' : ` against ${counted(versions, 'earlier version')} in ${against}`}`;
  return `${findings.length === 0 ? 'clean' : counted(findings.length, 'finding')}: ${scope}\n`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function paragraph({ file, line, column, group, rule, path, subject, what, here, there, instead }: Finding): string {
  const sides = here === null || there === null ? [] : [`  here:    ${here}`, `  there:   ${there}`];
  return [`${file}:${line}:${column}: ${group}/${rule} ${path}${subject === '' ? '' : ` (${subject})`}`, `  ${what}`, ...sides, `  instead: ${instead}`, ''].join('\n');
}

/** A command that the runner turns into a mark at the line: https://docs.github.com/actions, workflow commands. */
function annotation({ file, line, column, group, rule, path, message }: Finding): string {
  return `::error file=${property(file)},line=${line},col=${column},title=${property(`${group}/${rule}`)}::${escaped(`${path}: ${message}`)}\n`;
}

function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/** A test case for each schema; findings elsewhere, such as in the gate file, have a case of their own. */
function junit({ findings, files }: Report): string {
  const names = [...new Set([...files, ...findings.map(({ file }) => file)])];
  const cases = names.map((name) => {
    const failures = findings.filter(({ file }) => file === name).map(failure);
    const open = `    <testcase classname="schemas check" name="${xml(name)}" file="${xml(name)}"`;
    return failures.length === 0 ? `${open}/>\n` : `${open}>\n${failures.join('')}    </testcase>\n`;
  });
  const failed = new Set(findings.map(({ file }) => file)).size;
  const counts = `tests="${names.length}" failures="${failed}" errors="0" skipped="0"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${counts}>\n  <testsuite name="schemas check" ${counts}>\n${cases.join('')}  </testsuite>\n</testsuites>\n`;
}

function failure({ file, line, column, group, rule, path, message }: Finding): string {
  return `      <failure type="${xml(`${group}/${rule}`)}" message="${xml(message)}">${xml(`${file}:${line}:${column}: ${path}: ${message}`)}</failure>\n`;
}

function xml(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
