import type { Clause, Expression, Let, SortKey } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { clauseWords } from './keywords.ts';
import { startsClause } from './parse-brackets.ts';
import { parseCollect, parseWindow } from './parse-collect.ts';
import { parseFor } from './parse-for.ts';
import { parseInsert, parseRemove, parseUpdate, parseUpsert } from './parse-modification.ts';
import { parseBindParameter } from './parse-names.ts';
import { K, T } from './token.ts';

/** What may have been meant by a name where a clause, or the rest of one, should stand. */
const expectedWords: readonly string[] = [
  ...clauseWords,
  'OPTIONS',
  'SEARCH',
  'PRUNE',
  'AGGREGATE',
  'INTO',
  'KEEP',
  'WITH',
  'DESC',
  'ASC',
];

const modifications: ReadonlySet<Clause['type']> = new Set([
  'Insert',
  'Update',
  'Replace',
  'Remove',
  'Upsert',
]);

/** The clauses of a query or subquery, up to what cannot start one. */
export function parseClauses(cursor: Cursor): readonly Clause[] {
  const clauses: Clause[] = [];
  const outerStop = cursor.stopAtTarget;
  cursor.stopAtTarget = false;
  while (startsClause(cursor.kind)) {
    parseClause(cursor, clauses);
    if (clauses.length > cursor.limits.clausesMax) cursor.tooManyClauses();
    if (clauses.at(-1)!.type === 'Return') break;
  }
  cursor.stopAtTarget = outerStop;
  requireEnd(cursor, clauses);
  return Object.freeze(clauses);
}

/** The last clause must give a result, and the text must end there: after RETURN nothing follows. */
export function requireEnd(cursor: Cursor, clauses: readonly Clause[]): void {
  const last = clauses.at(-1);
  if (last?.type === 'Return' && startsClause(cursor.kind)) {
    cursor.fail(
      `unexpected ${cursor.describe()} after RETURN, which is the last clause of a query`,
    );
  }
  const atEnd = cursor.kind === T.End || cursor.kind === T.ParenClose || cursor.kind === T.Comma;
  if (last === undefined) cursor.unexpected('a clause such as FOR, LET or RETURN', expectedWords);
  if (last.type === 'Return') return;
  if (!atEnd) cursor.unexpected('a clause such as FILTER, SORT or RETURN', expectedWords);
  if (modifications.has(last.type)) return;
  cursor.fail(
    `unexpected ${cursor.describe()}: a query must end with RETURN, INSERT, UPDATE, REPLACE, REMOVE or UPSERT`,
  );
}

/** The clause at the current token, which `startsClause`; LET may give several. */
export function parseClause(cursor: Cursor, out: Clause[]): void {
  switch (cursor.kind) {
    case K.FOR:
      out.push(parseFor(cursor));
      break;
    case K.FILTER:
      out.push(parseFilter(cursor));
      break;
    case K.LET:
      parseLets(cursor, out);
      break;
    case K.SORT:
      out.push(parseSort(cursor));
      break;
    case K.LIMIT:
      out.push(parseLimit(cursor));
      break;
    case K.COLLECT:
      out.push(parseCollect(cursor));
      break;
    case K.WINDOW:
      out.push(parseWindow(cursor));
      break;
    case K.RETURN:
      out.push(parseReturn(cursor));
      break;
    case K.INSERT:
      out.push(parseInsert(cursor));
      break;
    case K.UPDATE:
    case K.REPLACE:
      out.push(parseUpdate(cursor));
      break;
    case K.REMOVE:
      out.push(parseRemove(cursor));
      break;
    default:
      out.push(parseUpsert(cursor));
  }
}

function parseFilter(cursor: Cursor): Clause {
  const { start } = cursor;
  cursor.step();
  const condition = cursor.grammar.expression(cursor);
  return Object.freeze({ type: 'Filter', span: cursor.span(start), condition });
}

function parseLets(cursor: Cursor, out: Clause[]): void {
  let { start } = cursor;
  cursor.step();
  do {
    out.push(parseLet(cursor, start));
    start = cursor.start;
  } while (cursor.accept(T.Comma));
}

function parseLet(cursor: Cursor, start: number): Let {
  const variable = cursor.variable('a variable name after LET');
  cursor.expect(T.Assign, 'after the variable of LET');
  const value = cursor.grammar.expression(cursor);
  return Object.freeze({ type: 'Let', span: cursor.span(start), variable, value });
}

function parseSort(cursor: Cursor): Clause {
  const { start } = cursor;
  cursor.step();
  const keys: SortKey[] = [];
  do keys.push(parseSortKey(cursor));
  while (cursor.accept(T.Comma));
  return Object.freeze({ type: 'Sort', span: cursor.span(start), keys: Object.freeze(keys) });
}

function parseSortKey(cursor: Cursor): SortKey {
  const { start } = cursor;
  const expression = cursor.grammar.expression(cursor);
  const direction = parseDirection(cursor);
  return Object.freeze({ type: 'SortKey', span: cursor.span(start), expression, direction });
}

/** ASC, DESC, true, false, "asc", "desc" or a bind parameter; ascending when nothing is said. */
function parseDirection(cursor: Cursor): SortKey['direction'] {
  switch (cursor.kind) {
    case K.ASC:
    case K.TRUE:
      cursor.step();
      return 'ASC';
    case K.DESC:
    case K.FALSE:
      cursor.step();
      return 'DESC';
    case T.String:
      return directionOf(cursor);
    case T.Param:
      return parseBindParameter(cursor);
    default:
      return 'ASC';
  }
}

function directionOf(cursor: Cursor): 'ASC' | 'DESC' {
  const { start } = cursor;
  const word = cursor.string().toUpperCase();
  if (word === 'ASC' || word === 'DESC') return word;
  return cursor.fail('the direction of SORT as a string must be "ASC" or "DESC"', start);
}

function parseLimit(cursor: Cursor): Clause {
  const { start } = cursor;
  cursor.step();
  const first = cursor.grammar.expression(cursor);
  const second: Expression | undefined = cursor.accept(T.Comma)
    ? cursor.grammar.expression(cursor)
    : undefined;
  return Object.freeze({
    type: 'Limit',
    span: cursor.span(start),
    offset: second === undefined ? undefined : first,
    count: second ?? first,
  });
}

function parseReturn(cursor: Cursor): Clause {
  const { start } = cursor;
  cursor.step();
  const distinct = cursor.accept(K.DISTINCT);
  const value = cursor.grammar.expression(cursor);
  return Object.freeze({ type: 'Return', span: cursor.span(start), distinct, value });
}
