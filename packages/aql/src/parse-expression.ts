import type { BinaryOperator, ComparisonOperator, Expression } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { parsePostfix } from './parse-postfix.ts';
import { parseArray, parseCallArguments, parseGroup, parseObject } from './parse-brackets.ts';
import { parseParameter } from './parse-names.ts';
import { atAtLeast, parseQuantifier } from './parse-parts.ts';
import { binaryPower, power, type BindingPower } from './power.ts';
import { K, kindCount, T } from './token.ts';

interface Infix {
  readonly power: BindingPower;
  readonly operator: BinaryOperator;
}

/** The infix operators that are one token. */
const infixes: readonly (Infix | undefined)[] = makeInfixes();

function makeInfixes(): (Infix | undefined)[] {
  const out: (Infix | undefined)[] = Array.from({ length: kindCount }, () => undefined);
  const set = (kind: number, operator: BinaryOperator): void => {
    out[kind] = Object.freeze({ power: binaryPower[operator], operator });
  };
  set(T.OrOr, '||');
  set(K.OR, '||');
  set(T.AndAnd, '&&');
  set(K.AND, '&&');
  set(T.Equal, '==');
  set(T.NotEqual, '!=');
  set(K.LIKE, 'LIKE');
  set(T.Match, '=~');
  set(T.NotMatch, '!~');
  set(K.IN, 'IN');
  set(T.Less, '<');
  set(T.LessEqual, '<=');
  set(T.Greater, '>');
  set(T.GreaterEqual, '>=');
  set(T.Plus, '+');
  set(T.Minus, '-');
  set(T.Times, '*');
  set(T.Divide, '/');
  set(T.Modulo, '%');
  return out;
}

export function parseExpression(cursor: Cursor): Expression {
  return parseNested(cursor, power.none);
}

/** `parseBinary` where the recursion has no bound of its own and must be counted. */
function parseNested(cursor: Cursor, floor: number): Expression {
  cursor.enter();
  const expression = parseBinary(cursor, floor);
  cursor.leave();
  return expression;
}

/**
 * Precedence climbing: an operand and the operators that bind tighter than `floor`.
 *
 * `cursor.height` holds, between calls, an upper bound of the height of what was parsed since the
 * caller reset it; each call adds its own on top and leaves the larger of that and its caller's.
 */
function parseBinary(cursor: Cursor, floor: number): Expression {
  const outerHeight = cursor.height;
  cursor.height = 0;
  const start = cursor.start;
  let left = parseUnary(cursor);
  for (;;) {
    const next = parseInfix(cursor, left, start, floor);
    if (next === undefined) break;
    cursor.grow();
    left = next;
  }
  cursor.grow();
  if (cursor.height < outerHeight) cursor.height = outerHeight;
  return left;
}

function parseInfix(
  cursor: Cursor,
  left: Expression,
  start: number,
  floor: number,
): Expression | undefined {
  const { kind } = cursor;
  const infix = infixes[kind];
  if (infix !== undefined) {
    if (infix.power.left <= floor || (kind === K.IN && atTargetCollection(cursor)))
      return undefined;
    cursor.step();
    return binary(cursor, start, infix.operator, left);
  }
  switch (kind) {
    case T.Question:
      return floor < power.ternary ? parseTernary(cursor, left, start) : undefined;
    case T.Range:
      return floor < power.range ? parseRange(cursor, left, start) : undefined;
    case K.NOT:
      return floor < power.membership ? parseNegatedInfix(cursor, left, start) : undefined;
    case K.ALL:
    case K.ANY:
    case K.NONE:
    case T.Name:
      return floor < power.quantifier ? parseArrayComparison(cursor, left, start) : undefined;
    default:
      return undefined;
  }
}

function binary(
  cursor: Cursor,
  start: number,
  operator: BinaryOperator,
  left: Expression,
): Expression {
  const right = parseBinary(cursor, binaryPower[operator].right);
  return Object.freeze({ type: 'Binary', span: cursor.span(start), operator, left, right });
}

function parseTernary(cursor: Cursor, condition: Expression, start: number): Expression {
  cursor.step();
  const then = cursor.kind === T.Colon ? undefined : cursor.bracketed(parseExpression);
  cursor.expect(T.Colon, 'between the branches of "?"');
  const otherwise = parseExpression(cursor);
  return Object.freeze({ type: 'Ternary', span: cursor.span(start), condition, then, otherwise });
}

function parseRange(cursor: Cursor, from: Expression, start: number): Expression {
  cursor.step();
  const to = parseBinary(cursor, power.range);
  return Object.freeze({ type: 'Range', span: cursor.span(start), from, to });
}

/** `NOT IN`, `NOT LIKE`, `NOT =~`, `NOT !~`. All but the first take what `==` takes on the right. */
function parseNegatedInfix(cursor: Cursor, left: Expression, start: number): Expression {
  cursor.step();
  // `a NOT LIKE b NOT LIKE c` groups to the right, so its depth is counted.
  cursor.enter();
  const result = parseNegated(cursor, left, start);
  cursor.leave();
  return result;
}

function parseNegated(cursor: Cursor, left: Expression, start: number): Expression {
  switch (cursor.kind) {
    case K.IN:
      cursor.step();
      return binary(cursor, start, 'NOT IN', left);
    case K.LIKE:
      cursor.step();
      return binary(cursor, start, 'NOT LIKE', left);
    case T.Match:
      cursor.step();
      return binary(cursor, start, '!~', left);
    case T.NotMatch:
      cursor.step();
      return binary(cursor, start, '=~', left);
    default:
      return cursor.unexpected('IN, LIKE or "=~" after NOT');
  }
}

/** `left ALL == right`; nothing when the word is the direction of a traversal. */
function parseArrayComparison(
  cursor: Cursor,
  left: Expression,
  start: number,
): Expression | undefined {
  if (!atQuantifiedComparison(cursor)) return undefined;
  const quantifier = parseQuantifier(cursor);
  const operator = parseComparison(cursor);
  const right = parseBinary(cursor, binaryPower[operator].right);
  return Object.freeze({
    type: 'ArrayComparison',
    span: cursor.span(start),
    quantifier,
    operator,
    left,
    right,
  });
}

function atQuantifiedComparison(cursor: Cursor): boolean {
  if (cursor.kind === T.Name) return atAtLeast(cursor);
  // `1..2 ANY start` is a traversal; ALL and NONE mean nothing else here.
  if (cursor.kind !== K.ANY || isComparison(cursor.peek(1))) return true;
  return cursor.peek(1) === K.NOT && cursor.peek(2) === K.IN;
}

function isComparison(kind: number): boolean {
  return (kind >= T.Equal && kind <= T.GreaterEqual) || kind === K.IN;
}

function parseComparison(cursor: Cursor): ComparisonOperator {
  if (cursor.kind === K.NOT && cursor.peek(1) === K.IN) {
    cursor.step();
    cursor.step();
    return 'NOT IN';
  }
  const infix = infixes[cursor.kind];
  if (infix === undefined || !isComparison(cursor.kind)) {
    return cursor.unexpected('a comparison, IN or NOT IN after the quantifier');
  }
  cursor.step();
  return infix.operator as ComparisonOperator;
}

function parseUnary(cursor: Cursor): Expression {
  const { kind, start } = cursor;
  if (kind !== T.Minus && kind !== T.Plus && kind !== T.Bang && kind !== K.NOT) {
    return parseOperand(cursor);
  }
  cursor.step();
  const operand = parseNested(cursor, power.unary);
  const operator = kind === T.Minus ? '-' : kind === T.Plus ? '+' : '!';
  return Object.freeze({ type: 'Unary', span: cursor.span(start), operator, operand });
}

function parseOperand(cursor: Cursor): Expression {
  const { start } = cursor;
  switch (cursor.kind) {
    case T.Name:
    case T.QuotedName:
      return parsePostfix(cursor, parseName(cursor), start);
    case T.Number:
      return Object.freeze({ type: 'Number', value: cursor.number(), span: cursor.span(start) });
    case T.String:
      return Object.freeze({ type: 'String', value: cursor.string(), span: cursor.span(start) });
    case T.Param:
    case T.CollectionParam:
      return parsePostfix(cursor, parseParameter(cursor), start);
    case T.ParenOpen:
      return parsePostfix(cursor, parseGroup(cursor, 'to close the parenthesis'), start);
    case T.BracketOpen:
      return parsePostfix(cursor, parseArray(cursor), start);
    case T.BraceOpen:
      return parsePostfix(cursor, parseObject(cursor), start);
    default:
      return parseWordOperand(cursor);
  }
}

function parseWordOperand(cursor: Cursor): Expression {
  const { start, kind } = cursor;
  switch (kind) {
    case K.NULL:
      cursor.step();
      return Object.freeze({ type: 'Null', span: cursor.span(start) });
    case K.TRUE:
    case K.FALSE:
      cursor.step();
      return Object.freeze({ type: 'Boolean', span: cursor.span(start), value: kind === K.TRUE });
    case K.LIKE:
      // The operator's name is a function's as well.
      if (cursor.peek(1) !== T.ParenOpen) break;
      cursor.step();
      return parsePostfix(cursor, parseCall(cursor, 'LIKE', start), start);
    case K.ANY:
    case K.ALL:
    case K.NONE:
      if (!cursor.atName(1) || cursor.peek(2) !== K.IN) break;
      return parseSatisfies(cursor);
  }
  return cursor.unexpected('an expression');
}

function parseName(cursor: Cursor): Expression {
  const { start } = cursor;
  const name = cursor.name('a name');
  if (cursor.kind === T.ParenOpen) return parseCall(cursor, name.toUpperCase(), start);
  if (cursor.kind === T.Scope) return parseNamespacedCall(cursor, name, start);
  return Object.freeze({ type: 'Reference', span: cursor.span(start), name });
}

function parseNamespacedCall(cursor: Cursor, first: string, start: number): Expression {
  let name = first;
  while (cursor.accept(T.Scope)) name += `::${cursor.name('a function name after "::"')}`;
  if (cursor.kind !== T.ParenOpen) cursor.unexpected('"(" after the function name');
  return parseCall(cursor, name.toUpperCase(), start);
}

function parseCall(cursor: Cursor, name: string, start: number): Expression {
  const args = parseCallArguments(cursor);
  return Object.freeze({
    type: 'FunctionCall',
    span: cursor.span(start),
    name,
    arguments: args,
  });
}

function parseSatisfies(cursor: Cursor): Expression {
  const { start, kind } = cursor;
  cursor.step();
  const variable = cursor.variable('a variable name');
  cursor.expect(K.IN, 'after the variable');
  const source = cursor.bracketed(parseExpression);
  if (!cursor.acceptWord('SATISFIES')) cursor.unexpected('SATISFIES', ['SATISFIES']);
  const condition = parseExpression(cursor);
  return Object.freeze({
    type: 'Satisfies',
    span: cursor.span(start),
    quantifier: kind === K.ALL ? 'ALL' : kind === K.ANY ? 'ANY' : 'NONE',
    variable,
    source,
    condition,
  });
}

/**
 * Whether the `IN` at hand names the target of a data modification (`INSERT doc IN c`), not the
 * operator: a collection follows and nothing after it goes on with an expression.
 */
function atTargetCollection(cursor: Cursor): boolean {
  if (!cursor.stopAtTarget) return false;
  const target = cursor.peek(1);
  const isCollection =
    target === T.Name ||
    target === T.QuotedName ||
    target === T.String ||
    target === T.CollectionParam;
  return isCollection && !goingOn.has(cursor.peek(2)) && !atAtLeast(cursor, 2);
}

const goingOn: ReadonlySet<number> = new Set([
  T.Dot,
  T.Range,
  T.Scope,
  T.Question,
  T.ParenOpen,
  T.BracketOpen,
  T.Equal,
  T.NotEqual,
  T.Less,
  T.LessEqual,
  T.Greater,
  T.GreaterEqual,
  T.Match,
  T.NotMatch,
  T.AndAnd,
  T.OrOr,
  T.Plus,
  T.Minus,
  T.Times,
  T.Divide,
  T.Modulo,
  K.AND,
  K.OR,
  K.LIKE,
  K.NOT,
  K.ALL,
  K.ANY,
  K.NONE,
  K.IN,
  K.INTO,
  K.WITH,
]);
