/** Cyan, yellow, magenta, green, blue, red: told apart on dark and light ground. */
const colors = [36, 33, 35, 32, 34, 31];

export interface LineStyle {
  readonly hasColor: boolean;
}

/** What goes before the lines of one node. */
export function prefixOf(id: number, { hasColor }: LineStyle): string {
  const name = `n${id} |`;
  return hasColor ? `\u001b[${colors[(id - 1) % colors.length]}m${name}\u001b[0m` : name;
}

const hidden: ReadonlySet<string> = new Set(['time', 'level', 'message']);

/** A line of a node's log for people: time of day, level where it matters, message, fields. */
export function readableLine(line: string): string {
  const entry = tryObject(line);
  if (entry === undefined) return clean(line);
  const { time, level, message } = entry;
  const clock = String(time).slice(11, 23);
  const mark = level === 'info' || level === 'debug' ? '' : `${String(level).toUpperCase()} `;
  const fields = Object.entries(entry)
    .filter(([name]) => !hidden.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return clean([`${clock} ${mark}${String(message)}`, ...fields].join('  '));
}

function tryObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** What is logged must not steer the terminal. */
function clean(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '·');
}
