import { reservedWords, type ReservedWord } from './keywords.ts';

/** Token kinds that are not words. Words follow: see `wordKind`. */
export const T = {
  End: 0,
  /** Text that is no token; the lexer says why. */
  Invalid: 1,
  Name: 2,
  QuotedName: 3,
  String: 4,
  Number: 5,
  /** `@name`. */
  Param: 6,
  /** `@@name`. */
  CollectionParam: 7,
  Comma: 8,
  Dot: 9,
  Range: 10,
  Colon: 11,
  Scope: 12,
  Question: 13,
  ParenOpen: 14,
  ParenClose: 15,
  BracketOpen: 16,
  BracketClose: 17,
  BraceOpen: 18,
  BraceClose: 19,
  Assign: 20,
  Equal: 21,
  NotEqual: 22,
  Less: 23,
  LessEqual: 24,
  Greater: 25,
  GreaterEqual: 26,
  Match: 27,
  NotMatch: 28,
  Bang: 29,
  AndAnd: 30,
  OrOr: 31,
  Plus: 32,
  Minus: 33,
  Times: 34,
  Divide: 35,
  Modulo: 36,
} as const;

const symbols: readonly string[] =
  ', . .. : :: ? ( ) [ ] { } = == != < <= > >= =~ !~ ! && || + - * / %'.split(' ');
const firstSymbol: number = T.Comma;
const firstWord = 37;

/** Token kind of each reserved word. */
export const K: Readonly<Record<ReservedWord, number>> = Object.freeze(
  Object.fromEntries(reservedWords.map((word, i) => [word, firstWord + i])),
) as Record<ReservedWord, number>;

export const kindCount: number = firstWord + reservedWords.length;

/** The fixed text of a symbol or reserved word; `undefined` for the other kinds. */
export function fixedText(kind: number): string | undefined {
  return kind >= firstWord ? reservedWords[kind - firstWord] : symbols[kind - firstSymbol];
}

export function isWord(kind: number): boolean {
  return kind >= firstWord;
}

const bucketCount = 256;
const buckets: readonly (readonly ReservedWord[])[] = makeBuckets();

function makeBuckets(): ReservedWord[][] {
  const out: ReservedWord[][] = Array.from({ length: bucketCount }, () => []);
  for (const word of reservedWords) {
    let hash = 0;
    for (let i = 0; i < word.length; i++) hash = hashStep(hash, word.charCodeAt(i));
    out[hash & (bucketCount - 1)]!.push(word);
  }
  return out;
}

/** One step of the case-blind hash that the lexer computes while it scans a name. */
export function hashStep(hash: number, code: number): number {
  return (Math.imul(hash, 31) + (code | 32)) | 0;
}

/** The kind of the name at `start..end`: a reserved word in any case, or `T.Name`. */
export function wordKind(text: string, start: number, end: number, hash: number): number {
  for (const word of buckets[hash & (bucketCount - 1)]!) {
    if (word.length === end - start && matchesWord(text, start, word)) return K[word];
  }
  return T.Name;
}

/** Whether `word` (upper case) stands at `start`, in any case. The length is the caller's check. */
export function matchesWord(text: string, start: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) {
    const code = text.charCodeAt(start + i);
    const upper = code >= 97 && code <= 122 ? code - 32 : code;
    if (upper !== word.charCodeAt(i)) return false;
  }
  return true;
}
