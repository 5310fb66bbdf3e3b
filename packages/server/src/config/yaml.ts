import type { Value } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  Parser,
  type CST,
  type Document,
  type Node,
  type Pair,
} from 'yaml';

const depthMax = 32;

const options = {
  version: '1.2',
  schema: 'core',
  strict: true,
  stringKeys: true,
  uniqueKeys: true,
  merge: false,
  resolveKnownTags: false,
  intAsBigInt: true,
  prettyErrors: false,
} as const;

/**
 * One YAML 1.2 document as a value of the JSON kind. Refused, with line and column, is all that can
 * surprise: names given twice, tags, anchors and aliases, directives, several documents, numbers that
 * would be rounded. CONFIG_INVALID.
 */
export function parseYaml(text: string): Value {
  const lines = new LineCounter();
  checkDepth(text);
  const document = parseDocument(text, { ...options, lineCounter: lines });
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault !== undefined) throw refused(lines, fault.pos[0], fault.message);
  if (document.directives?.yaml.explicit === true || hasTagDirective(document)) {
    throw refused(lines, 0, 'directives (%YAML, %TAG) are not taken');
  }
  return valueOf(document.contents, lines);
}

/** Where the value at a path begins, in a text that is YAML or JSON and was found valid. */
export function placesOf(text: string): (steps: readonly (string | number)[]) => string {
  const lines = new LineCounter();
  const document = parseDocument(text, { ...options, lineCounter: lines });
  return (steps) => {
    const { line, col } = lines.linePos(offsetAt(document.contents, steps));
    return `line ${line}, column ${col}`;
  };
}

/** The offset of the name a value has, or of the value in a list. */
function offsetAt(root: Node | null, steps: readonly (string | number)[]): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const step of steps) {
    if (isSeq(node)) node = node.items[Number(step)];
    else if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step);
      offset = (pair?.key as Node | undefined)?.range?.[0] ?? offset;
      node = pair?.value;
      continue;
    }
    offset = (node as Node | undefined)?.range?.[0] ?? offset;
  }
  return offset;
}

/** The composer recurses: a text that is nested too deeply must not reach it. */
function checkDepth(text: string): void {
  const lines = new LineCounter();
  const open: { token: CST.Token; depth: number }[] = [];
  for (const token of new Parser(lines.addNewLine).parse(text)) open.push({ token, depth: 0 });
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (depth > depthMax) {
      throw refused(lines, token.offset, `it is nested more than ${depthMax} deep`);
    }
    for (const child of childrenOf(token)) open.push({ token: child, depth: depth + 1 });
  }
}

function childrenOf(token: CST.Token): CST.Token[] {
  if (token.type === 'document') return token.value === undefined ? [] : [token.value];
  if (!('items' in token)) return [];
  return token.items.flatMap(({ key, value }) => [key ?? [], value ?? []].flat());
}

function valueOf(node: unknown, lines: LineCounter): Value {
  const offset = (node as Node | null)?.range?.[0] ?? 0;
  if (node === null) return null;
  if (isAlias(node)) throw refused(lines, offset, 'aliases (*name) are not taken: write it out');
  const { tag, anchor } = node as { tag?: string; anchor?: string };
  if (anchor !== undefined) throw refused(lines, offset, 'anchors (&name) are not taken');
  if (tag !== undefined) throw refused(lines, offset, `tags (${tag}) are not taken`);
  if (isMap(node)) {
    return Object.fromEntries(
      (node.items as Pair[]).map(({ key, value }) => [
        String(valueOf(key, lines)),
        valueOf(value ?? null, lines),
      ]),
    );
  }
  if (isSeq(node)) return node.items.map((item) => valueOf(item, lines));
  return scalarOf(isScalar(node) ? node.value : undefined, lines, offset);
}

function scalarOf(value: unknown, lines: LineCounter, offset: number): Value {
  switch (typeof value) {
    case 'bigint': {
      const number = Number(value);
      if (Number.isSafeInteger(number)) return number;
      throw refused(lines, offset, 'the number would be rounded; allowed: up to 2^53 - 1');
    }
    case 'number':
      if (Number.isFinite(value)) return value;
      throw refused(lines, offset, 'infinity and not-a-number are not taken');
    case 'string':
      if (!/\p{Surrogate}/u.test(value)) return value;
      throw refused(lines, offset, 'the text holds a lone surrogate');
    case 'boolean':
      return value;
    default:
      return null;
  }
}

function hasTagDirective({ directives }: Document): boolean {
  return Object.keys(directives?.tags ?? {}).some((handle) => handle !== '!!');
}

function refused(lines: LineCounter, offset: number, why: string): Error {
  const { line, col: column } = lines.linePos(offset);
  return themisError('CONFIG_INVALID', {
    message: `YAML at line ${line}, column ${column}: ${why}`,
    position: { line, column, offset },
  });
}
