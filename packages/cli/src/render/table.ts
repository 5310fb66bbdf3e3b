/** Rows as a table for people; anything that is no object becomes the single column `value`. */
export interface TableOptions {
  /** Columns of the terminal; wider tables have their cells cut, with an ellipsis. */
  readonly width: number;
  readonly rowsMax?: number;
}

type Row = Readonly<Record<string, unknown>>;

export function renderTable(rows: readonly unknown[], options: TableOptions): string {
  if (rows.length === 0) return '(no rows)';
  const shown = rows.slice(0, options.rowsMax ?? rows.length).map(asRow);
  const columns = columnsOf(shown);
  const cells = shown.map((row) => columns.map((column) => renderCell(row[column])));
  const isNumeric = columns.map((column) => shown.every((row) => isNumberOrNull(row[column])));
  const widths = fit(
    columns.map((name, c) =>
      Math.max(displayWidth(name), ...cells.map((row) => displayWidth(row[c]!))),
    ),
    options.width,
  );
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, c) => pad(text, widths[c]!, isNumeric[c]!))
      .join(' │ ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('─┼─');
  const hidden = rows.length - shown.length;
  return [
    line(columns),
    rule,
    ...cells.map(line),
    ...(hidden > 0 ? [`… and ${hidden} more rows`] : []),
  ].join('\n');
}

function asRow(value: unknown): Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Row)
    : { value };
}

/** In order of first appearance; at most 40, so that ragged documents stay readable. */
function columnsOf(rows: readonly Row[]): string[] {
  const names = new Set<string>();
  for (const row of rows) for (const name of Object.keys(row)) names.add(name);
  return [...names].slice(0, 40);
}

function isNumberOrNull(value: unknown): boolean {
  return typeof value === 'number' || value === null || value === undefined;
}

export function renderCell(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return clean(value);
  return clean(JSON.stringify(value));
}

/** Control characters from data must not reach the terminal. */
function clean(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) =>
    c === '\n' ? '↵' : c === '\t' ? ' ' : '�',
  );
}

/** Columns a text takes on a terminal: wide for CJK and emoji, none for combining marks. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    width += isWide(character.codePointAt(0)!) ? 2 : 1;
  }
  return width;
}

function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  );
}

/** Narrows the widest columns, never below 6, until the table fits. */
function fit(wanted: readonly number[], width: number): number[] {
  const widths = [...wanted];
  const total = (): number => widths.reduce((sum, w) => sum + w, 0) + 3 * (widths.length - 1);
  while (total() > width) {
    const widest = widths.indexOf(Math.max(...widths));
    if (widths[widest]! <= 6) break;
    widths[widest]!--;
  }
  return widths;
}

function pad(text: string, width: number, right: boolean): string {
  const cut = displayWidth(text) > width ? cutTo(text, width - 1) + '…' : text;
  const space = ' '.repeat(Math.max(0, width - displayWidth(cut)));
  return right ? space + cut : cut + space;
}

function cutTo(text: string, width: number): string {
  let out = '';
  let used = 0;
  for (const character of text) {
    used += displayWidth(character);
    if (used > width) break;
    out += character;
  }
  return out;
}
