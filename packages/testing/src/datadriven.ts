/**
 * Scripts as tests. A script is a text of commands, each followed by the output it must give:
 *
 *     # A comment.
 *     add-nodes 3 voters=(1,2,3) index=10
 *     input lines, if the command takes any
 *     ----
 *     expected output, up to the first empty line
 *
 * An output with empty lines stands between two pairs of separators (`----` twice before it, `----`
 * twice after it). A directive line that ends in a backslash goes on in the next line. An argument is
 * `key`, `key=value` or `key=(value, value)`.
 *
 * The format is that of the Go package `datadriven`, so that scripts written for it run here.
 */

const SEPARATOR = '----';

export interface ScriptArg {
  readonly key: string;
  /** Empty for a bare `key`. */
  readonly values: readonly string[];
}

export interface ScriptCommand {
  readonly file: string;
  /** Line of the directive, from 1. */
  readonly line: number;
  readonly name: string;
  readonly args: readonly ScriptArg[];
  /** Lines between directive and separator, joined; no newline at the end. */
  readonly input: string;
  /** Every line ends in a newline; empty for no output. */
  readonly expected: string;
  /** Lines [from, to) of the file, from 0: first separator up to the end of the expected output. */
  readonly block: { readonly from: number; readonly to: number };
}

export interface ScriptMismatch {
  readonly command: ScriptCommand;
  readonly actual: string;
}

export type ScriptHandler = (command: ScriptCommand) => string;

/** Runs every command in order, also past a difference, and returns the differences. */
export function runScript(
  commands: readonly ScriptCommand[],
  run: ScriptHandler,
): ScriptMismatch[] {
  const mismatches: ScriptMismatch[] = [];
  for (const command of commands) {
    const actual = withFinalNewline(run(command));
    if (actual !== command.expected) mismatches.push({ command, actual });
  }
  return mismatches;
}

/** The script with what its commands really print in place of what it expected. */
export function rewriteScript(text: string, file: string, run: ScriptHandler): string {
  const lines = text.split('\n');
  const out: string[] = [];
  let copied = 0;
  for (const command of parseScript(text, file)) {
    out.push(...lines.slice(copied, command.block.from), ...renderBlock(run(command)));
    copied = command.block.to;
  }
  return [...out, ...lines.slice(copied)].join('\n');
}

/** Throws with file and line where the text is no script. */
export function parseScript(text: string, file: string): ScriptCommand[] {
  const lines = text.split('\n');
  const commands: ScriptCommand[] = [];
  let at = 0;
  while (at < lines.length) {
    if (isSkipped(lines[at]!)) {
      at++;
      continue;
    }
    const command = parseCommand(lines, at, file);
    commands.push(command);
    at = command.block.to;
  }
  return commands;
}

/** The one value of argument `key`; undefined where it is absent or bare. */
export function scriptArg(command: ScriptCommand, key: string): string | undefined {
  return command.args.find((arg) => arg.key === key)?.values[0];
}

/** A readable account of one difference. */
export function describeMismatch({ command, actual }: ScriptMismatch): string {
  const title = `${command.file}:${command.line}: ${command.name}`;
  return `${title}\n${diffLines(command.expected, actual)}`;
}

function parseCommand(lines: readonly string[], start: number, file: string): ScriptCommand {
  let at = start;
  let directive = lines[at++]!.trim();
  while (directive.endsWith('\\') && at < lines.length) {
    directive = `${directive.slice(0, -1).trim()} ${lines[at++]!.trim()}`;
  }
  const inputStart = at;
  while (at < lines.length && lines[at] !== SEPARATOR) at++;
  if (at === lines.length) throw new Error(`${file}:${start + 1}: command without "${SEPARATOR}"`);
  const input = lines.slice(inputStart, at).join('\n');
  const { expected, end } = parseExpected(lines, at + 1, file);
  const { name, args } = parseDirective(directive, `${file}:${start + 1}`);
  return { file, line: start + 1, name, args, input, expected, block: { from: at, to: end } };
}

function parseExpected(
  lines: readonly string[],
  start: number,
  file: string,
): { expected: string; end: number } {
  const isFramed = lines[start] === SEPARATOR;
  const first = isFramed ? start + 1 : start;
  let end = first;
  const isEnd = (at: number): boolean =>
    isFramed ? lines[at] === SEPARATOR && lines[at + 1] === SEPARATOR : lines[at]!.trim() === '';
  while (end < lines.length && !isEnd(end)) end++;
  if (isFramed && end === lines.length) throw new Error(`${file}:${start + 1}: output never ends`);
  const expected = lines
    .slice(first, end)
    .map((line) => `${line}\n`)
    .join('');
  return { expected, end: isFramed ? end + 2 : end };
}

function parseDirective(text: string, where: string): { name: string; args: ScriptArg[] } {
  const words = text.match(/[^\s=]+=\([^)]*\)|\S+/g) ?? [];
  const [name, ...rest] = words;
  if (name === undefined) throw new Error(`${where}: directive without a name`);
  return { name, args: rest.map(parseArg) };
}

function parseArg(word: string): ScriptArg {
  const split = word.indexOf('=');
  if (split < 0) return { key: word, values: [] };
  const key = word.slice(0, split);
  const value = word.slice(split + 1);
  if (!value.startsWith('(')) return { key, values: [value] };
  const inner = value.slice(1, -1).trim();
  return { key, values: inner === '' ? [] : inner.split(',').map((item) => item.trim()) };
}

function renderBlock(output: string): string[] {
  const lines = withFinalNewline(output).split('\n').slice(0, -1);
  const isFramed = lines.some((line) => line.trim() === '');
  const frame = isFramed ? [SEPARATOR, SEPARATOR] : [];
  return isFramed ? [...frame, ...lines, ...frame] : [SEPARATOR, ...lines];
}

function isSkipped(line: string): boolean {
  const trimmed = line.trim();
  return trimmed === '' || trimmed.startsWith('#');
}

function withFinalNewline(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

/** Common lines at both ends, and what stands between them on either side. */
function diffLines(expected: string, actual: string): string {
  const want = expected.split('\n');
  const got = actual.split('\n');
  let head = 0;
  while (head < want.length && head < got.length && want[head] === got[head]) head++;
  let tail = 0;
  while (
    tail < want.length - head &&
    tail < got.length - head &&
    want.at(-1 - tail) === got.at(-1 - tail)
  ) {
    tail++;
  }
  return [
    ...want.slice(Math.max(0, head - 3), head).map((line) => `  ${line}`),
    ...want.slice(head, want.length - tail).map((line) => `- ${line}`),
    ...got.slice(head, got.length - tail).map((line) => `+ ${line}`),
    ...want.slice(want.length - tail, want.length - tail + 3).map((line) => `  ${line}`),
  ].join('\n');
}
