import { contextualWords, words, type WordClass } from './keywords.ts';
import { tokenize, type Tokens } from './lexer.ts';
import { parseLimits } from './parse.ts';
import { fixedText, isWord, T } from './token.ts';

export type TokenClass =
  | WordClass
  | 'function'
  | 'attribute'
  | 'name'
  | 'parameter'
  | 'string'
  | 'number'
  | 'symbol'
  | 'comment'
  | 'invalid';

export interface HighlightedToken {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly class: TokenClass;
}

/**
 * The text's tokens and comments, in order, with what to colour them as. Goes by neighbours, not by
 * the grammar, so it works on any text; a contextual word (KEEP, OPTIONS …) used as a name may be
 * taken for the word.
 */
export function highlight(text: string): HighlightedToken[] {
  const tokens = tokenize(text, parseLimits.tokensMax);
  const out: HighlightedToken[] = [];
  let comment = 0;
  tokens.kinds.forEach((kind, i) => {
    const start = tokens.starts[i]!;
    for (; comment < tokens.comments.length && tokens.comments[comment]! < start; comment += 2) {
      out.push(commentAt(tokens, comment));
    }
    if (kind !== T.End) out.push({ start, end: tokens.ends[i]!, class: classAt(tokens, i, kind) });
  });
  for (; comment < tokens.comments.length; comment += 2) out.push(commentAt(tokens, comment));
  return out;
}

function commentAt(tokens: Tokens, at: number): HighlightedToken {
  return { start: tokens.comments[at]!, end: tokens.comments[at + 1]!, class: 'comment' };
}

const wordClasses: ReadonlyMap<string, WordClass> = new Map(
  words.map((info) => [info.word, info.class]),
);
const contextual: ReadonlySet<string> = new Set(contextualWords);

function classAt(tokens: Tokens, i: number, kind: number): TokenClass {
  switch (kind) {
    case T.Invalid:
      return 'invalid';
    case T.String:
      return 'string';
    case T.Number:
      return 'number';
    case T.Param:
    case T.CollectionParam:
      return 'parameter';
    case T.Name:
    case T.QuotedName:
      return nameClass(tokens, i);
    default:
      if (!isWord(kind)) return 'symbol';
      return tokens.kinds[i - 1] === T.Dot || tokens.kinds[i + 1] === T.Colon
        ? 'attribute'
        : wordClasses.get(fixedText(kind)!)!;
  }
}

const closing: ReadonlySet<number> = new Set([T.Dot, T.Assign, T.Comma, T.BracketOpen]);

function nameClass(tokens: Tokens, i: number): TokenClass {
  const before = tokens.kinds[i - 1];
  const after = tokens.kinds[i + 1] ?? T.End;
  if (before === T.Dot) return 'attribute';
  if (after === T.ParenOpen || after === T.Scope) return 'function';
  if (after === T.Colon && (before === T.BraceOpen || before === T.Comma)) return 'attribute';
  const word = tokens.text.slice(tokens.starts[i], tokens.ends[i]).toUpperCase();
  if (!contextual.has(word)) return 'name';
  const wordClass = wordClasses.get(word)!;
  // NEW, OLD and CURRENT are values; the others introduce something.
  return wordClass === 'variable' || !closing.has(after) ? wordClass : 'name';
}
