/**
 * The LIKE pattern language: `_` one character, `%` any number of them, backslash before `_`, `%`
 * or backslash takes it literally, other backslashes stand for themselves.
 */
export type TextTest = (text: string) => boolean;

type Part = string | typeof oneCharacter | typeof anyCharacters;
const oneCharacter = Symbol('_');
const anyCharacters = Symbol('%');

export function compileLike(pattern: string, ignoreCase: boolean): TextTest {
  const parts = likeParts(ignoreCase ? foldCase(pattern) : pattern);
  const test = parts.includes(oneCharacter)
    ? generalTest(parts)
    : (simpleTest(parts) ?? generalTest(parts));
  return ignoreCase ? (text) => test(foldCase(text)) : test;
}

/** Simple case folding, character by character. */
export function foldCase(text: string): string {
  return text.toLowerCase();
}

/** The literal a pattern must start with, for index use, and whether it is all of the pattern. */
export function likePrefix(pattern: string): { readonly prefix: string; readonly exact: boolean } {
  const parts = likeParts(pattern);
  const first = parts[0];
  const prefix = typeof first === 'string' ? first : '';
  return { prefix, exact: parts.length === 0 || (parts.length === 1 && typeof first === 'string') };
}

function likeParts(pattern: string): readonly Part[] {
  const parts: Part[] = [];
  let literal = '';
  const flush = (): void => {
    if (literal !== '') parts.push(literal);
    literal = '';
  };
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    if (c === '\\' && '_%\\'.includes(pattern[i + 1] ?? ' ')) {
      literal += pattern[++i]!;
    } else if (c === '_' || c === '%') {
      flush();
      if (c === '_') parts.push(oneCharacter);
      else if (parts.at(-1) !== anyCharacters) parts.push(anyCharacters);
    } else {
      literal += c;
    }
  }
  flush();
  return parts;
}

/** Patterns whose only wildcards are `%` at the ends. */
function simpleTest(parts: readonly Part[]): TextTest | undefined {
  const [a, b] = parts;
  if (parts.length === 0) return (text) => text === '';
  if (parts.length === 1) return typeof a === 'string' ? (text) => text === a : () => true;
  if (parts.length === 2) {
    if (typeof a === 'string') return (text) => text.startsWith(a);
    if (typeof b === 'string') return (text) => text.endsWith(b);
  }
  if (parts.length === 3 && typeof b === 'string' && typeof a !== 'string') {
    return (text) => text.includes(b);
  }
  return undefined;
}

/**
 * Greedy matching that on failure lets the last `%` take one character more: earlier ones never
 * need to be reconsidered, so the time is bounded by the product of the lengths.
 */
function generalTest(parts: readonly Part[]): TextTest {
  return (text) => {
    let at = 0;
    let part = 0;
    let resumePart = -1;
    let resumeAt = 0;
    for (;;) {
      const wanted = parts[part];
      if (wanted === anyCharacters) {
        if (part === parts.length - 1) return true;
        resumePart = ++part;
        resumeAt = at;
        continue;
      }
      const next =
        wanted === undefined ? (at === text.length ? at : -1) : advance(text, at, wanted);
      if (next >= 0) {
        if (wanted === undefined) return true;
        at = next;
        part++;
      } else {
        if (resumePart < 0 || resumeAt >= text.length) return false;
        resumeAt += characterLength(text, resumeAt);
        at = resumeAt;
        part = resumePart;
      }
    }
  };
}

function advance(text: string, at: number, wanted: Part): number {
  if (typeof wanted === 'string') return text.startsWith(wanted, at) ? at + wanted.length : -1;
  return at < text.length ? at + characterLength(text, at) : -1;
}

function characterLength(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit <= 0xdbff && at + 1 < text.length ? 2 : 1;
}
