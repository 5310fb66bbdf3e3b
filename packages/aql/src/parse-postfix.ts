import type { Expansion, Expression, ExpansionItem, InlineLimit, Quantifier } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { parseBindParameter } from './parse-names.ts';
import { atAtLeast, parseQuantifier } from './parse-parts.ts';
import { isWord, K, T } from './token.ts';

/** An expansion whose body is still growing: everything of the node but body and span. */
type OpenExpansion = Omit<Expansion, 'body' | 'span' | 'type'>;

/**
 * What can follow a name, call, group or literal in brackets: `.name`, `.@name`, `[index]`,
 * `[* …]`, `[? …]`. Accesses after an expansion go into its body, expansions after it nest there.
 */
export function parsePostfix(cursor: Cursor, operand: Expression, start: number): Expression {
  if (cursor.kind !== T.Dot && cursor.kind !== T.BracketOpen) return operand;
  const open: OpenExpansion[] = [];
  let current = operand;
  for (;;) {
    if (cursor.kind === T.Dot) current = parseMember(cursor, current, start);
    else if (cursor.kind !== T.BracketOpen) break;
    else if (cursor.peek(1) === T.Times) current = parseExpansion(cursor, current, start, open);
    else if (cursor.peek(1) === T.Question) current = parseArrayTest(cursor, current, start, open);
    else current = parseIndex(cursor, current, start);
    cursor.grow();
  }
  return close(cursor, open, current, start);
}

/** Makes nodes of the open expansions, the last one innermost; leaves none open. */
function close(
  cursor: Cursor,
  open: OpenExpansion[],
  innermost: Expression,
  start: number,
): Expression {
  let body = innermost;
  for (let head = open.pop(); head !== undefined; head = open.pop()) {
    body = Object.freeze({ type: 'Expansion', span: cursor.span(start), ...head, body });
  }
  return body;
}

function parseMember(cursor: Cursor, object: Expression, start: number): Expression {
  cursor.step();
  if (cursor.kind === T.Param) {
    const attribute = parseBindParameter(cursor);
    return Object.freeze({ type: 'BoundMember', span: cursor.span(start), object, attribute });
  }
  // A reserved word after the dot cannot be anything but an attribute name.
  const name = isWord(cursor.kind) ? cursor.rest(0) : cursor.name('an attribute name after "."');
  return Object.freeze({ type: 'Member', span: cursor.span(start), object, name });
}

function parseIndex(cursor: Cursor, object: Expression, start: number): Expression {
  cursor.step();
  const index = cursor.bracketed(cursor.grammar.expression);
  cursor.expect(T.BracketClose, 'after the index');
  const span = cursor.span(start);
  return index.type === 'String' && isAttributeName(index.value)
    ? Object.freeze({ type: 'Member', span, object, name: index.value })
    : Object.freeze({ type: 'Index', span, object, index });
}

/** Digits first may be a position in an array, so such a string stays an index. */
function isAttributeName(text: string): boolean {
  return text !== '' && !(text >= '0' && text < ':');
}

function countOf(cursor: Cursor, kind: number): number {
  let count = 0;
  while (cursor.accept(kind)) count++;
  return count;
}

function parseExpansion(
  cursor: Cursor,
  before: Expression,
  start: number,
  open: OpenExpansion[],
): Expression {
  cursor.step();
  const levels = countOf(cursor, T.Times);
  // More than one star flattens what the chain before gives, so that is finished first.
  const source = levels > 1 ? close(cursor, open, before, start) : before;
  open.push({ source, levels, ...cursor.bracketed(parseInlineClauses) });
  cursor.expect(T.BracketClose, 'to close the array expansion');
  const item: ExpansionItem = { type: 'ExpansionItem', span: emptySpan(cursor) };
  return Object.freeze(item);
}

/** Where nothing is written: right after the last token. */
function emptySpan(cursor: Cursor): { start: number; end: number } {
  return Object.freeze({ start: cursor.lastEnd, end: cursor.lastEnd });
}

function parseInlineClauses(
  cursor: Cursor,
): Pick<OpenExpansion, 'filter' | 'limit' | 'projection'> {
  const { expression } = cursor.grammar;
  const filter = cursor.accept(K.FILTER) ? expression(cursor) : undefined;
  const limit = cursor.kind === K.LIMIT ? parseInlineLimit(cursor) : undefined;
  const projection = cursor.accept(K.RETURN) ? expression(cursor) : undefined;
  if (cursor.kind !== T.BracketClose) cursor.unexpected(inlineExpected(filter, limit, projection));
  return { filter, limit, projection };
}

function inlineExpected(filter: unknown, limit: unknown, projection: unknown): string {
  if (projection !== undefined) return '"]" after RETURN in the array expansion';
  if (limit !== undefined) return 'RETURN or "]" in the array expansion';
  if (filter !== undefined) return 'LIMIT, RETURN or "]" in the array expansion';
  return 'FILTER, LIMIT, RETURN or "]" in the array expansion';
}

function parseInlineLimit(cursor: Cursor): InlineLimit {
  const { start } = cursor;
  cursor.step();
  const first = cursor.grammar.expression(cursor);
  const second = cursor.accept(T.Comma) ? cursor.grammar.expression(cursor) : undefined;
  return Object.freeze({
    type: 'InlineLimit',
    span: cursor.span(start),
    offset: second === undefined ? undefined : first,
    count: second ?? first,
  });
}

function parseArrayTest(
  cursor: Cursor,
  before: Expression,
  start: number,
  open: OpenExpansion[],
): Expression {
  cursor.step();
  const levels = countOf(cursor, T.Question);
  const source = levels > 1 ? close(cursor, open, before, start) : before;
  const test = cursor.bracketed(parseTestClauses);
  cursor.expect(T.BracketClose, 'to close the array test');
  return Object.freeze({ type: 'ArrayTest', span: cursor.span(start), source, levels, ...test });
}

function parseTestClauses(cursor: Cursor): {
  quantifier: Quantifier | undefined;
  filter: Expression | undefined;
} {
  if (cursor.kind === T.BracketClose) return { quantifier: undefined, filter: undefined };
  const quantifier = cursor.kind === K.FILTER ? undefined : parseTestQuantifier(cursor);
  if (!cursor.accept(K.FILTER)) {
    cursor.unexpected(
      quantifier === undefined
        ? 'FILTER, a quantifier or "]"'
        : 'FILTER after the quantifier of the array test',
    );
  }
  return { quantifier, filter: cursor.grammar.expression(cursor) };
}

function parseTestQuantifier(cursor: Cursor): Quantifier {
  const { start, kind } = cursor;
  const isWordQuantifier =
    (kind === K.ALL || kind === K.ANY || kind === K.NONE) && cursor.peek(1) === K.FILTER;
  if (isWordQuantifier || atAtLeast(cursor)) return parseQuantifier(cursor);
  const count = cursor.grammar.expression(cursor);
  return Object.freeze({ type: 'Quantifier', span: cursor.span(start), kind: 'COUNT', count });
}
