import { suggest } from '@themisdb/base';
import { themisError, type ErrorCode } from '@themisdb/protocol';
import type { Clause, Expression, Span, Variable } from './ast.ts';
import type { clauseWords, ContextualWord } from './keywords.ts';
import { tokenize, type Tokens } from './lexer.ts';
import { decodeNumber, decodeQuoted, type Decoded } from './literal.ts';
import { positionAt } from './position.ts';
import { fixedText, isWord, matchesWord, T } from './token.ts';

/** What bounds the work a text can cause. Reaching one is AQL_TOO_DEEP. */
export interface ParseLimits {
  /** Length of the text in UTF-16 units. */
  readonly textLengthMax: number;
  readonly tokensMax: number;
  /** Parentheses, brackets, subqueries and prefix operators inside one another. */
  readonly nestingMax: number;
  /** Levels of the tree, which chains like `a + b + c` deepen as well. */
  readonly treeDepthMax: number;
  /** Clauses of one query or subquery. */
  readonly clausesMax: number;
}

/** The entry points by which the parts of the grammar call one another. */
export interface Grammar {
  expression(cursor: Cursor): Expression;
  clauses(cursor: Cursor): readonly Clause[];
}

/**
 * The parser's place in the tokens: looking, stepping, failing. The grammar files hold no state of
 * their own.
 */
export class Cursor {
  readonly text: string;
  readonly limits: ParseLimits;
  readonly grammar: Grammar;
  /** Kind of the current token. */
  kind: number;
  /** Offset of the current token. */
  start: number;
  /** End of the token before. */
  lastEnd = 0;
  /**
   * While set, an `IN` that can name the target collection of a data modification ends the
   * expression. Unset inside brackets of any kind.
   */
  stopAtTarget = false;
  /**
   * An upper bound of the height of the tree parsed last: see `parseExpression`, which alone resets
   * it.
   */
  height = 0;
  #nesting = 0;
  #index = 0;
  readonly #tokens: Tokens;

  constructor(text: string, limits: ParseLimits, grammar: Grammar) {
    this.text = text;
    this.limits = limits;
    this.grammar = grammar;
    this.#tokens = tokenize(text, limits.tokensMax);
    this.kind = this.#tokens.kinds[0]!;
    this.start = this.#tokens.starts[0]!;
  }

  // Looking and stepping

  /** Kind of the token `ahead` places on; `T.End` past the end. */
  peek(ahead: number): number {
    return this.#tokens.kinds[this.#index + ahead] ?? T.End;
  }

  /** End of the current token. */
  get end(): number {
    return this.#tokens.ends[this.#index]!;
  }

  get index(): number {
    return this.#index;
  }

  /** Goes to a token and forgets everything that was open: for recovery after a failure. */
  seek(index: number): void {
    this.#index = index;
    this.kind = this.#tokens.kinds[index]!;
    this.start = this.#tokens.starts[index]!;
    this.#nesting = 0;
    this.height = 0;
    this.stopAtTarget = false;
  }

  /** Whether the token `ahead` places on is the first of its line. */
  startsLine(ahead: number): boolean {
    const index = this.#index + ahead;
    const before = index === 0 ? 0 : this.#tokens.ends[index - 1]!;
    return this.text.slice(before, this.#tokens.starts[index]).includes('\n');
  }

  step(): void {
    const tokens = this.#tokens;
    this.lastEnd = tokens.ends[this.#index]!;
    const index = ++this.#index;
    this.kind = tokens.kinds[index]!;
    this.start = tokens.starts[index]!;
  }

  accept(kind: number): boolean {
    if (this.kind !== kind) return false;
    this.step();
    return true;
  }

  /** Steps over a token of `kind` or fails, saying what it was wanted for. */
  expect(kind: number, why: string): void {
    if (this.kind !== kind) this.unexpected(`${shownKind(kind)} ${why}`);
    this.step();
  }

  /** Whether the token `ahead` is the contextual word, unquoted, in any case. */
  atWord(word: ContextualWord, ahead = 0): boolean {
    if (this.peek(ahead) !== T.Name) return false;
    const index = this.#index + ahead;
    const start = this.#tokens.starts[index]!;
    return this.#tokens.ends[index]! - start === word.length && matchesWord(this.text, start, word);
  }

  acceptWord(word: ContextualWord): boolean {
    if (!this.atWord(word)) return false;
    this.step();
    return true;
  }

  atName(ahead = 0): boolean {
    const kind = this.peek(ahead);
    return kind === T.Name || kind === T.QuotedName;
  }

  span(start: number): Span {
    return Object.freeze({ start, end: this.lastEnd });
  }

  /** `parse` between brackets of some kind, where an `IN` is the operator again. */
  bracketed<R>(parse: (cursor: Cursor) => R): R {
    const outerStop = this.stopAtTarget;
    this.stopAtTarget = false;
    const result = parse(this);
    this.stopAtTarget = outerStop;
    return result;
  }

  // Token values

  /** The name at the current token, quoted or not; steps over it. */
  name(what: string): string {
    if (this.kind === T.Name) {
      const name = this.text.slice(this.start, this.end);
      this.step();
      return name;
    }
    if (this.kind !== T.QuotedName) this.#noName(what);
    const name = this.#decoded(decodeQuoted(this.text, this.start, this.end));
    if (name === '') this.fail('a quoted name must not be empty');
    this.step();
    return name;
  }

  variable(what: string): Variable {
    const start = this.start;
    const name = this.name(what);
    return Object.freeze({ type: 'Variable', span: this.span(start), name });
  }

  string(): string {
    const value = this.#decoded(decodeQuoted(this.text, this.start, this.end));
    this.step();
    return value;
  }

  number(): number {
    const value = this.#decoded(decodeNumber(this.text, this.start, this.end));
    this.step();
    return value;
  }

  /** The text of the current token from `skip` on; steps over it. */
  rest(skip: number): string {
    const value = this.text.slice(this.start + skip, this.end);
    this.step();
    return value;
  }

  #decoded<V>(decoded: Decoded<V>): V {
    if (decoded.ok) return decoded.value;
    return this.#throw(
      decoded.outOfRange ? 'AQL_NUMBER_OUT_OF_RANGE' : 'AQL_PARSE',
      decoded.message,
      decoded.offset,
    );
  }

  // Limits

  enter(): void {
    if (++this.#nesting > this.limits.nestingMax) {
      this.#throw(
        'AQL_TOO_DEEP',
        `the query nests deeper than the ${this.limits.nestingMax} levels allowed`,
        this.start,
      );
    }
  }

  leave(): void {
    this.#nesting--;
  }

  /** One more level on top of the tree parsed last. */
  grow(): void {
    if (++this.height > this.limits.treeDepthMax) {
      this.#throw(
        'AQL_TOO_DEEP',
        `the expression has more than the ${this.limits.treeDepthMax} operators in a chain allowed; use an array and IN, or a function over an array`,
        this.start,
      );
    }
  }

  tooManyClauses(): never {
    return this.#throw(
      'AQL_TOO_DEEP',
      `the query has more than the ${this.limits.clausesMax} clauses allowed`,
      this.start,
    );
  }

  // Failing

  /** AQL_PARSE at the current token, or at `offset`. */
  fail(message: string, offset: number = this.start, details?: Record<string, unknown>): never {
    this.#lexicalFault();
    return this.#throw('AQL_PARSE', message, offset, details);
  }

  empty(): never {
    this.#lexicalFault();
    return this.#throw('AQL_EMPTY', 'the query is empty', this.start);
  }

  /** "unexpected X, expected Y", with the word that was probably meant. */
  unexpected(expected: string, candidates: readonly string[] = []): never {
    this.#lexicalFault();
    const found = this.describe();
    const near = this.kind === T.Name ? this.#nearest(candidates) : undefined;
    const hint = near !== undefined ? `; did you mean ${near}?` : this.#hint();
    return this.fail(`unexpected ${found}, expected ${expected}${hint}`, this.start, {
      found,
      expected,
      ...(near === undefined ? {} : { suggestion: near }),
    });
  }

  /** The current token for a message. Literals are not shown: they may be data. */
  describe(): string {
    switch (this.kind) {
      case T.End:
        return 'end of the query';
      case T.Name:
        return `name ${quoted(shorten(this.text.slice(this.start, this.end)))}`;
      case T.QuotedName:
        return 'quoted name';
      case T.String:
        return 'string';
      case T.Number:
        return 'number';
      case T.Param:
      case T.CollectionParam:
        return `bind parameter ${shorten(this.text.slice(this.start, this.end))}`;
      default:
        return shownKind(this.kind);
    }
  }

  #nearest(candidates: readonly string[]): string | undefined {
    const given = this.text.slice(this.start, this.end);
    const foreign = foreignWords[given.toUpperCase()];
    if (foreign !== undefined && candidates.includes(foreign)) return foreign;
    return suggest(given.toUpperCase(), candidates);
  }

  #hint(): string {
    if (this.kind === T.Assign) return '; the comparison is "=="';
    return isWord(this.kind) && !startsOperand(this.peek(1)) ? this.#quotingHint() : '';
  }

  #quotingHint(): string {
    return `; the word is reserved, as a name it is written \`${this.text.slice(this.start, this.end)}\``;
  }

  #noName(what: string): never {
    if (!isWord(this.kind)) this.unexpected(what);
    return this.fail(`unexpected ${this.describe()}, expected ${what}${this.#quotingHint()}`);
  }

  /** A token that is none has priority over what the grammar would say about it. */
  #lexicalFault(): void {
    const { problem } = this.#tokens;
    if (this.kind !== T.Invalid || problem === undefined) return;
    this.#throw(problem.tooLong ? 'AQL_TOO_DEEP' : 'AQL_PARSE', problem.message, problem.offset);
  }

  #throw(
    code: ErrorCode,
    message: string,
    offset: number,
    details: Record<string, unknown> = {},
  ): never {
    const position = positionAt(this.text, offset);
    const atEnd = this.kind === T.End && offset === this.start;
    const incomplete = atEnd || (this.kind === T.Invalid && this.#tokens.problem?.open === true);
    throw themisError(code, {
      message: `${message} (line ${position.line}, column ${position.column})`,
      position,
      details: incomplete ? { ...details, incomplete } : details,
    });
  }
}

/** What people bring from SQL and others. */
const foreignWords: Readonly<Record<string, (typeof clauseWords)[number]>> = {
  WHERE: 'FILTER',
  HAVING: 'FILTER',
  SELECT: 'RETURN',
  ORDER: 'SORT',
  ORDERBY: 'SORT',
  GROUP: 'COLLECT',
  DELETE: 'REMOVE',
  SET: 'LET',
  FROM: 'FOR',
  MERGE: 'UPSERT',
};

function shownKind(kind: number): string {
  return isWord(kind) ? fixedText(kind)! : quoted(fixedText(kind)!);
}

/** Whether an expression may start so: then a word before it was meant as the word. */
function startsOperand(kind: number): boolean {
  return (kind >= T.Name && kind <= T.CollectionParam) || kind === T.BraceOpen || isWord(kind);
}

function quoted(text: string): string {
  return `"${text}"`;
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}
