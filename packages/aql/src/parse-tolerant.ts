import { isThemisError, type TextPosition } from '@themisdb/base';
import type { Clause, Query } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { openCursor, parseHead, type ParseOptions } from './parse.ts';
import { startsClause } from './parse-brackets.ts';
import { parseClause, requireEnd } from './parse-clauses.ts';
import { T } from './token.ts';

export interface Diagnostic {
  /** A code of the error catalogue. */
  readonly code: string;
  readonly message: string;
  readonly position: TextPosition;
  /** What was probably meant. */
  readonly suggestion: string | undefined;
}

export interface TolerantResult {
  /** The clauses that could be read; `undefined` when there is none. */
  readonly query: Query | undefined;
  /** In the order of the text; empty exactly when `parse` would accept the text. */
  readonly diagnostics: readonly Diagnostic[];
}

const diagnosticsMax = 20;

/**
 * Reads as much of a query as can be read, for editors: a clause that is wrong is reported and left
 * out, and reading goes on with the next clause. Never throws for what the text holds.
 */
export function parseTolerant(text: string, options: ParseOptions = {}): TolerantResult {
  const reader = new TolerantReader();
  const query = reader.attempt(() => reader.read(openCursor(text, options)));
  return { query, diagnostics: Object.freeze(reader.diagnostics) };
}

class TolerantReader {
  readonly diagnostics: Diagnostic[] = [];

  read(cursor: Cursor): Query | undefined {
    if (cursor.kind === T.End) return cursor.empty();
    const { start } = cursor;
    const head = this.attempt(() => parseHead(cursor));
    if (head === undefined) recover(cursor, 0);
    const clauses: Clause[] = [];
    while (cursor.kind !== T.End && this.diagnostics.length < diagnosticsMax) {
      this.#clause(cursor, clauses);
    }
    if (this.diagnostics.length === 0) this.attempt(() => requireEnd(cursor, clauses));
    if (clauses.length === 0) return undefined;
    return Object.freeze({
      type: 'Query',
      span: cursor.span(start),
      mode: head?.mode ?? 'run',
      live: head?.live ?? false,
      withCollections: head?.withCollections ?? Object.freeze([]),
      clauses: Object.freeze(clauses),
    });
  }

  /** One clause, or a report and a step to where the next may start. */
  #clause(cursor: Cursor, clauses: Clause[]): void {
    const from = cursor.index;
    const wentOn = this.attempt(() => {
      if (clauses.length > 0 && clauses.at(-1)!.type === 'Return') requireEnd(cursor, clauses);
      if (!startsClause(cursor.kind)) requireEnd(cursor, []);
      if (clauses.length >= cursor.limits.clausesMax) cursor.tooManyClauses();
      parseClause(cursor, clauses);
      return true;
    });
    if (wentOn === undefined) recover(cursor, from);
  }

  attempt<R>(run: () => R): R | undefined {
    try {
      return run();
    } catch (error) {
      if (!isThemisError(error)) throw error;
      const suggestion = error.details['suggestion'];
      this.diagnostics.push({
        code: error.code,
        message: error.message,
        position: error.position ?? { line: 1, column: 1, offset: 0 },
        suggestion: typeof suggestion === 'string' ? suggestion : undefined,
      });
      return undefined;
    }
  }
}

/**
 * Goes to the next token that can start a clause, after the one that failed and outside the brackets
 * opened since `from`; with brackets left open, to one that starts a line.
 */
function recover(cursor: Cursor, from: number): void {
  const failed = Math.max(cursor.index, from + 1) - from;
  cursor.seek(from);
  let depth = 0;
  let lineStart: number | undefined;
  let ahead = 0;
  for (; cursor.peek(ahead) !== T.End && cursor.peek(ahead) !== T.Invalid; ahead++) {
    const kind = cursor.peek(ahead);
    depth = Math.max(0, depth + bracketStep(kind));
    if (ahead < failed || !startsClause(kind)) continue;
    if (depth === 0) break;
    if (cursor.startsLine(ahead)) lineStart ??= ahead;
  }
  const isFound = startsClause(cursor.peek(ahead));
  if (!isFound && lineStart !== undefined) ahead = lineStart;
  cursor.seek(from + ahead);
  // What is no token was reported, and the tokens end there.
  if (cursor.kind === T.Invalid) cursor.kind = T.End;
}

function bracketStep(kind: number): number {
  switch (kind) {
    case T.ParenOpen:
    case T.BracketOpen:
    case T.BraceOpen:
      return 1;
    case T.ParenClose:
    case T.BracketClose:
    case T.BraceClose:
      return -1;
    default:
      return 0;
  }
}
