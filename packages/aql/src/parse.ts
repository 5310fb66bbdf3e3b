import { themisError } from '@themisdb/protocol';
import type { CollectionRef, Expression, Query, QueryMode } from './ast.ts';
import { Cursor, type Grammar, type ParseLimits } from './cursor.ts';
import { parseClauses } from './parse-clauses.ts';
import { parseExpression as parseAnyExpression } from './parse-expression.ts';
import { parseCollection } from './parse-names.ts';
import { K, T } from './token.ts';

export type ParseOptions = Partial<ParseLimits>;

/** What `parse` allows when the caller says nothing. */
export const parseLimits: ParseLimits = Object.freeze({
  textLengthMax: 4_194_304,
  tokensMax: 1_000_000,
  nestingMax: 300,
  treeDepthMax: 1000,
  clausesMax: 4000,
});

const grammar: Grammar = { expression: parseAnyExpression, clauses: parseClauses };

/**
 * The tree of a query. Throws ThemisError with `position`: AQL_PARSE, AQL_EMPTY,
 * AQL_NUMBER_OUT_OF_RANGE for a literal that cannot be held, AQL_TOO_DEEP when a limit is reached.
 * Names are not looked up and scopes not checked. `details.incomplete` is true when the text is right
 * as far as it goes: it ends too early, perhaps inside a string.
 */
export function parse(text: string, options: ParseOptions = {}): Query {
  const cursor = openCursor(text, options);
  const query = parseQuery(cursor);
  if (cursor.kind !== T.End) cursor.unexpected('the end of the query', []);
  return query;
}

/** One expression standing alone, as in computed values and index definitions. As `parse`. */
export function parseExpression(text: string, options: ParseOptions = {}): Expression {
  const cursor = openCursor(text, options);
  const expression = parseAnyExpression(cursor);
  if (cursor.kind !== T.End) cursor.unexpected('the end of the expression');
  return expression;
}

export function openCursor(text: string, options: ParseOptions): Cursor {
  const limits = { ...parseLimits, ...options };
  if (text.length > limits.textLengthMax) {
    throw themisError('AQL_TOO_DEEP', {
      message: `the query has ${text.length} characters, more than the ${limits.textLengthMax} allowed`,
      position: { line: 1, column: 1, offset: 0 },
    });
  }
  return new Cursor(text, limits, grammar);
}

function parseQuery(cursor: Cursor): Query {
  const { start } = cursor;
  if (cursor.kind === T.End) cursor.empty();
  const head = parseHead(cursor);
  const clauses = parseClauses(cursor);
  return Object.freeze({ type: 'Query', span: cursor.span(start), ...head, clauses });
}

/** What stands before the clauses. */
export function parseHead(cursor: Cursor): Pick<Query, 'mode' | 'live' | 'withCollections'> {
  const mode = parseMode(cursor);
  const withCollections = parseWith(cursor);
  const live = cursor.atWord('LIVE');
  if (live && cursor.peek(1) !== K.FOR) cursor.fail('LIVE must be followed by FOR');
  if (live) cursor.step();
  return { mode, live, withCollections };
}

function parseMode(cursor: Cursor): QueryMode {
  if (cursor.acceptWord('EXPLAIN')) return 'explain';
  return cursor.acceptWord('PROFILE') ? 'profile' : 'run';
}

/** `WITH a, b c`: the commas may be left out, as in ArangoDB. */
function parseWith(cursor: Cursor): readonly CollectionRef[] {
  const collections: CollectionRef[] = [];
  if (cursor.accept(K.WITH)) {
    do collections.push(parseCollection(cursor));
    while (cursor.accept(T.Comma) || continuesWith(cursor));
  }
  return Object.freeze(collections);
}

function continuesWith(cursor: Cursor): boolean {
  if (cursor.atWord('LIVE') && cursor.peek(1) === K.FOR) return false;
  return cursor.atName() || cursor.kind === T.Param || cursor.kind === T.CollectionParam;
}
