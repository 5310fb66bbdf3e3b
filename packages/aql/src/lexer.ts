import { hashStep, T, wordKind } from './token.ts';

/**
 * The whole text as tokens, in parallel arrays; the last is `T.End`. What is no token becomes
 * `T.Invalid` with a reason in `problems`, and lexing stops there: a parser that fails earlier in the
 * text reports its own, earlier fault. Values are decoded when the parser asks (`literal.ts`).
 */
export interface Tokens {
  readonly text: string;
  readonly kinds: readonly number[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** Comments, for highlighting: start and end offsets, in pairs. */
  readonly comments: readonly number[];
  readonly problem: LexProblem | undefined;
}

export interface LexProblem {
  readonly offset: number;
  readonly message: string;
  /** The text has more tokens than allowed. */
  readonly tooLong?: true;
  /** A string, quoted name or comment is open at the end of the text. */
  readonly open?: true;
}

export function tokenize(text: string, tokensMax: number): Tokens {
  const lexer = new Lexer(text, tokensMax);
  lexer.run();
  return lexer;
}

// Classes of ASCII characters, one bit each.
const letter = 1;
const digit = 2;
const underscore = 4;
const hexLetter = 8;
const nameChar = letter | digit | underscore;
const classes = makeClasses();

function makeClasses(): Uint8Array {
  const out = new Uint8Array(128);
  for (let c = 48; c <= 57; c++) out[c] = digit;
  for (let c = 65; c <= 90; c++) out[c] = out[c + 32] = letter;
  for (let c = 65; c <= 70; c++) out[c] = out[c + 32] = letter | hexLetter;
  out[95] = underscore;
  return out;
}

function classOf(code: number): number {
  return code < 128 ? classes[code]! : 0;
}

class Lexer implements Tokens {
  readonly text: string;
  readonly kinds: number[] = [];
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  readonly comments: number[] = [];
  problem: LexProblem | undefined = undefined;
  readonly #tokensMax: number;

  constructor(text: string, tokensMax: number) {
    this.text = text;
    this.#tokensMax = tokensMax;
  }

  run(): void {
    const length = this.text.length;
    let at = 0;
    while (at < length && this.problem === undefined) {
      const code = this.text.charCodeAt(at);
      at = isSpace(code) ? at + 1 : this.#token(at, code);
    }
    if (this.problem === undefined) this.#push(T.End, length, length);
  }

  #push(kind: number, start: number, end: number): number {
    if (this.kinds.length >= this.#tokensMax) {
      this.problem = {
        offset: start,
        message: `the query has more than ${this.#tokensMax} words and symbols`,
        tooLong: true,
      };
      kind = T.Invalid;
    }
    this.kinds.push(kind);
    this.starts.push(start);
    this.ends.push(end);
    return end;
  }

  #invalid(start: number, message: string, offset = start): number {
    this.problem = { offset, message };
    return this.#push(T.Invalid, start, this.text.length);
  }

  #open(start: number, message: string): number {
    const end = this.#invalid(start, message);
    this.problem = { offset: start, message, open: true };
    return end;
  }

  #token(at: number, code: number): number {
    const kind = classOf(code);
    if ((kind & (letter | underscore)) !== 0 || code === 36) return this.#name(at, code);
    if ((kind & digit) !== 0) return this.#number(at);
    switch (code) {
      case 34: // "
      case 39: // '
        return this.#quoted(at, code, T.String, 'string');
      case 96: // `
      case 0xb4: // ´
        return this.#quoted(at, code, T.QuotedName, 'quoted name');
      case 64: // @
        return this.#parameter(at);
      default:
        return this.#symbol(at, code);
    }
  }

  #name(start: number, first: number): number {
    const { text } = this;
    let at = start;
    let hash = 0;
    let code = first;
    if (first === 36) {
      // $CURRENT and the like: one dollar before a letter.
      code = text.charCodeAt(++at);
      if ((classOf(code) & letter) === 0) {
        return this.#invalid(start, 'a letter must follow "$" in a name');
      }
      hash = first;
    }
    let seen = 0;
    do {
      seen |= classOf(code);
      hash = hashStep(hash, code);
      code = text.charCodeAt(++at);
    } while ((classOf(code) & nameChar) !== 0);
    if (first === 95 && !this.#underscoresThenLetter(start)) {
      return this.#invalid(start, 'a name that starts with "_" needs a letter after it');
    }
    return this.#push((seen & letter) === 0 ? T.Name : wordKind(text, start, at, hash), start, at);
  }

  #underscoresThenLetter(start: number): boolean {
    let at = start;
    while (this.text.charCodeAt(at) === 95) at++;
    return (classOf(this.text.charCodeAt(at)) & letter) !== 0;
  }

  #number(start: number): number {
    const { text } = this;
    const first = text.charCodeAt(start);
    const second = text.charCodeAt(start + 1) | 32;
    let end: number;
    if (first === 48 && second === 120) end = this.#digits(start + 2, digit | hexLetter);
    else if (first === 48 && second === 98) end = this.#digits(start + 2, digit);
    else end = this.#decimal(start);
    if (end <= start + 2 && first === 48 && (second === 120 || second === 98)) {
      return this.#invalid(start, 'digits must follow "0x" or "0b"');
    }
    if (first === 48 && (classOf(text.charCodeAt(start + 1)) & digit) !== 0) {
      return this.#invalid(start, 'a number must not start with a superfluous 0');
    }
    if ((classOf(text.charCodeAt(end)) & nameChar) !== 0) {
      return this.#invalid(start, 'a number must not run into a name; put a space between them');
    }
    return this.#push(T.Number, start, end);
  }

  #digits(start: number, allowed: number): number {
    let at = start;
    while ((classOf(this.text.charCodeAt(at)) & allowed) !== 0) at++;
    return at;
  }

  /** Integer part, `.` and fraction when a digit follows the dot (`1..3` is a range), exponent. */
  #decimal(start: number): number {
    const { text } = this;
    let at = this.#digits(start, digit);
    if (text.charCodeAt(at) === 46 && (classOf(text.charCodeAt(at + 1)) & digit) !== 0) {
      at = this.#digits(at + 1, digit);
    }
    if ((text.charCodeAt(at) | 32) !== 101) return at;
    const sign = text.charCodeAt(at + 1);
    const exponent = at + (sign === 43 || sign === 45 ? 2 : 1);
    const end = this.#digits(exponent, digit);
    return end > exponent ? end : at;
  }

  #quoted(start: number, quote: number, kind: number, what: string): number {
    const { text } = this;
    for (let at = start + 1; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === quote) return this.#push(kind, start, at + 1);
      if (code === 92) at++;
    }
    return this.#open(start, `${what} is not closed: the closing ${text[start]} is missing`);
  }

  #parameter(start: number): number {
    const { text } = this;
    const collection = text.charCodeAt(start + 1) === 64;
    const nameStart = start + (collection ? 2 : 1);
    let seen = 0;
    let at = nameStart;
    for (; ; at++) {
      const kind = classOf(text.charCodeAt(at)) & nameChar;
      if (kind === 0) break;
      seen |= kind;
    }
    if ((seen & (letter | digit)) === 0) {
      return this.#invalid(
        start,
        'a bind parameter needs a name of letters, digits and _ after "@"',
      );
    }
    return this.#push(collection ? T.CollectionParam : T.Param, start, at);
  }

  #symbol(at: number, code: number): number {
    const next = this.text.charCodeAt(at + 1);
    switch (code) {
      case 44:
        return this.#push(T.Comma, at, at + 1);
      case 46:
        if (next === 46) return this.#push(T.Range, at, at + 2);
        return (classOf(next) & digit) === 0 ? this.#push(T.Dot, at, at + 1) : this.#number(at);
      case 40:
        return this.#push(T.ParenOpen, at, at + 1);
      case 41:
        return this.#push(T.ParenClose, at, at + 1);
      case 91:
        return this.#push(T.BracketOpen, at, at + 1);
      case 93:
        return this.#push(T.BracketClose, at, at + 1);
      case 123:
        return this.#push(T.BraceOpen, at, at + 1);
      case 125:
        return this.#push(T.BraceClose, at, at + 1);
      case 58:
        return this.#oneOrTwo(at, T.Colon, next === 58, T.Scope);
      case 63:
        return this.#push(T.Question, at, at + 1);
      case 47:
        return this.#slash(at, next);
      default:
        return this.#operator(at, code, next);
    }
  }

  #oneOrTwo(at: number, one: number, isTwo: boolean, two: number): number {
    return isTwo ? this.#push(two, at, at + 2) : this.#push(one, at, at + 1);
  }

  #operator(at: number, code: number, next: number): number {
    switch (code) {
      case 61: // =
        if (next === 126) return this.#push(T.Match, at, at + 2);
        return this.#oneOrTwo(at, T.Assign, next === 61, T.Equal);
      case 33: // !
        if (next === 126) return this.#push(T.NotMatch, at, at + 2);
        return this.#oneOrTwo(at, T.Bang, next === 61, T.NotEqual);
      case 60: // <
        if (next === 62) return this.#invalid(at, 'AQL has no operator "<>"; write "!="');
        return this.#oneOrTwo(at, T.Less, next === 61, T.LessEqual);
      case 62: // >
        return this.#oneOrTwo(at, T.Greater, next === 61, T.GreaterEqual);
      case 38: // &
        return next === 38 ? this.#push(T.AndAnd, at, at + 2) : this.#unknown(at, '"&&"');
      case 124: // |
        return next === 124 ? this.#push(T.OrOr, at, at + 2) : this.#unknown(at, '"||"');
      case 43:
        return this.#push(T.Plus, at, at + 1);
      case 45:
        return this.#push(T.Minus, at, at + 1);
      case 42:
        return this.#push(T.Times, at, at + 1);
      case 37:
        return this.#push(T.Modulo, at, at + 1);
      default:
        return this.#unknown(at);
    }
  }

  #unknown(at: number, instead?: string): number {
    const code = this.text.codePointAt(at)!;
    const shown =
      code > 32 && code < 127
        ? JSON.stringify(String.fromCodePoint(code))
        : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
    const hint =
      instead !== undefined
        ? `; write ${instead}`
        : code === 59
          ? '; a query is one statement, without a semicolon'
          : code > 127
            ? '; quote names that have other characters than letters, digits and _ with backticks'
            : '';
    return this.#invalid(at, `character ${shown} has no meaning here${hint}`);
  }

  #slash(at: number, next: number): number {
    const { text } = this;
    if (next === 47) {
      const end = text.indexOf('\n', at);
      return this.#comment(at, end < 0 ? text.length : end);
    }
    if (next !== 42) return this.#push(T.Divide, at, at + 1);
    const end = text.indexOf('*/', at + 2);
    return end < 0
      ? this.#open(at, 'comment is not closed: the closing */ is missing')
      : this.#comment(at, end + 2);
  }

  #comment(start: number, end: number): number {
    this.comments.push(start, end);
    return end;
  }
}

/** Space, tab, CR, LF, and what editors paste unseen: no-break space and byte order mark. */
function isSpace(code: number): boolean {
  return (
    code === 32 ||
    (code <= 13 && (code === 10 || code === 9 || code === 13)) ||
    code === 0xa0 ||
    code === 0xfeff
  );
}
