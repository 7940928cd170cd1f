/** One column of a table on a terminal. */
export interface TextColumn {
  readonly heading: string;
  readonly align: 'left' | 'right';
}

const GAP = '  ';

/** Aligned text with a heading and a rule; each line ends with \n. Rows have one cell a column. */
export function textTable(columns: readonly TextColumn[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ heading }, index) => rows.reduce((width, row) => Math.max(width, displayWidth(row[index] ?? '')), displayWidth(heading)));
  const line = (cells: readonly string[]): string =>
    `${columns.map(({ align }, index) => padded(cells[index] ?? '', widths[index] as number, align)).join(GAP).trimEnd()}\n`;
  return line(columns.map(({ heading }) => heading)) + line(widths.map((width) => '─'.repeat(width))) + rows.map(line).join('');
}

function padded(text: string, width: number, align: TextColumn['align']): string {
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'right' ? blanks + text : text + blanks;
}

/** Characters as a reader counts them; control characters never reach a terminal, see plainText. */
function displayWidth(text: string): number {
  return [...text].length;
}

/** Text that came from outside, made harmless for a terminal: control characters become visible. */
export function plainText(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
