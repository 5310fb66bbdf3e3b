import type { Expression, ObjectLiteral, Property } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { clauseWords } from './keywords.ts';
import { parseBindParameter } from './parse-names.ts';
import { isWord, K, T } from './token.ts';

/** What stands in `(…)`, `[…]` and `{…}`: groups, subqueries, arguments, array and object literals. */

const queryStarts: ReadonlySet<number> = new Set(clauseWords.map((word) => K[word]));

/** Whether a clause can start with this token. */
export function startsClause(kind: number): boolean {
  return queryStarts.has(kind);
}

function expressionOrQuery(cursor: Cursor): Expression {
  if (!queryStarts.has(cursor.kind)) return cursor.grammar.expression(cursor);
  const { start } = cursor;
  cursor.enter();
  const clauses = cursor.grammar.clauses(cursor);
  cursor.leave();
  cursor.grow();
  return Object.freeze({ type: 'Subquery', span: cursor.span(start), clauses });
}

/** `(expression)` or `(query)`. A group leaves no node; its span is the inner one. */
export function parseGroup(cursor: Cursor, why: string): Expression {
  cursor.expect(T.ParenOpen, '');
  const inner = cursor.bracketed(expressionOrQuery);
  cursor.expect(T.ParenClose, why);
  return inner;
}

export function parseCallArguments(cursor: Cursor): readonly Expression[] {
  cursor.step();
  const args = cursor.kind === T.ParenClose ? [] : cursor.bracketed(parseArguments);
  if (!cursor.accept(T.ParenClose)) cursor.unexpected('"," or ")" in the argument list');
  return Object.freeze(args);
}

function parseArguments(cursor: Cursor): Expression[] {
  const args: Expression[] = [];
  do args.push(expressionOrQuery(cursor));
  while (cursor.accept(T.Comma));
  return args;
}

export function parseArray(cursor: Cursor): Expression {
  const { start } = cursor;
  cursor.step();
  const elements = cursor.bracketed(parseElements);
  if (!cursor.accept(T.BracketClose)) cursor.unexpected('"," or "]" in the array');
  return Object.freeze({ type: 'Array', span: cursor.span(start), elements });
}

/** A comma after the last element is allowed, in objects too. */
function parseElements(cursor: Cursor): readonly Expression[] {
  const elements: Expression[] = [];
  while (cursor.kind !== T.BracketClose) {
    elements.push(cursor.grammar.expression(cursor));
    if (!cursor.accept(T.Comma)) break;
  }
  return Object.freeze(elements);
}

export function parseObject(cursor: Cursor): ObjectLiteral {
  const { start } = cursor;
  cursor.step();
  const properties = cursor.bracketed(parseProperties);
  if (!cursor.accept(T.BraceClose)) cursor.unexpected('"," or "}" in the object');
  return Object.freeze({ type: 'Object', span: cursor.span(start), properties });
}

function parseProperties(cursor: Cursor): readonly Property[] {
  const properties: Property[] = [];
  while (cursor.kind !== T.BraceClose) {
    properties.push(parseProperty(cursor));
    if (!cursor.accept(T.Comma)) break;
  }
  return Object.freeze(properties);
}

function parseProperty(cursor: Cursor): Property {
  const { start } = cursor;
  switch (cursor.kind) {
    case T.String:
      return finishNamed(cursor, start, cursor.string());
    case T.Name:
    case T.QuotedName:
      return parseNameProperty(cursor);
    case T.Param:
      return parseBoundProperty(cursor);
    case T.BracketOpen:
      return parseComputedProperty(cursor);
    default:
      // A reserved word before ":" cannot be anything but an attribute name.
      if (isWord(cursor.kind) && cursor.peek(1) === T.Colon) {
        return finishNamed(cursor, start, cursor.rest(0));
      }
      return cursor.unexpected('an attribute name or "}"');
  }
}

function parseNameProperty(cursor: Cursor): Property {
  const { start } = cursor;
  const name = cursor.name('an attribute name');
  if (cursor.kind === T.Colon) return finishNamed(cursor, start, name);
  if (cursor.kind !== T.Comma && cursor.kind !== T.BraceClose) {
    cursor.unexpected('":", "," or "}" after the attribute name');
  }
  const span = cursor.span(start);
  const value: Expression = Object.freeze({ type: 'Reference', span, name });
  return Object.freeze({ type: 'NamedProperty', span, name, value, shorthand: true });
}

function finishNamed(cursor: Cursor, start: number, name: string): Property {
  const value = parseValue(cursor);
  return Object.freeze({
    type: 'NamedProperty',
    span: cursor.span(start),
    name,
    value,
    shorthand: false,
  });
}

function parseBoundProperty(cursor: Cursor): Property {
  const { start } = cursor;
  const key = parseBindParameter(cursor);
  const value = parseValue(cursor);
  return Object.freeze({ type: 'BoundProperty', span: cursor.span(start), key, value });
}

function parseComputedProperty(cursor: Cursor): Property {
  const { start } = cursor;
  cursor.step();
  const key = cursor.grammar.expression(cursor);
  cursor.expect(T.BracketClose, 'after the computed attribute name');
  const value = parseValue(cursor);
  return Object.freeze({ type: 'ComputedProperty', span: cursor.span(start), key, value });
}

function parseValue(cursor: Cursor): Expression {
  cursor.expect(T.Colon, 'after the attribute name');
  return cursor.grammar.expression(cursor);
}
