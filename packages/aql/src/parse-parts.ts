import type {
  BindParameter,
  CollectionParameter,
  CollectionRef,
  Expression,
  ObjectLiteral,
  Quantifier,
  QuantifierKind,
} from './ast.ts';
import type { Cursor } from './cursor.ts';
import { parseGroup, parseObject } from './parse-brackets.ts';
import { K, T } from './token.ts';

/** Small parts that several clauses and expressions share. */

/** `@name` or `@@name` at the current token. */
export function parseParameter(cursor: Cursor): BindParameter | CollectionParameter {
  const { start } = cursor;
  if (cursor.kind === T.CollectionParam) {
    const key = cursor.rest(1);
    return Object.freeze({ type: 'CollectionParameter', span: cursor.span(start), key });
  }
  const name = cursor.rest(1);
  return Object.freeze({ type: 'BindParameter', span: cursor.span(start), name });
}

export function atAtLeast(cursor: Cursor): boolean {
  return cursor.atWord('AT') && cursor.atWord('LEAST', 1) && cursor.peek(2) === T.ParenOpen;
}

/** ALL, ANY, NONE or AT LEAST (n) at the current token. */
export function parseQuantifier(cursor: Cursor): Quantifier {
  const { start } = cursor;
  let count: Expression | undefined;
  let kind: QuantifierKind;
  if (cursor.kind === T.Name) {
    kind = 'AT LEAST';
    cursor.step();
    cursor.step();
    count = parseGroup(cursor, 'after the number of AT LEAST');
  } else {
    kind = cursor.kind === K.ALL ? 'ALL' : cursor.kind === K.ANY ? 'ANY' : 'NONE';
    cursor.step();
  }
  return Object.freeze({ type: 'Quantifier', span: cursor.span(start), kind, count });
}

/** `OPTIONS {…}` if it is there. */
export function parseOptions(cursor: Cursor): ObjectLiteral | undefined {
  if (!cursor.acceptWord('OPTIONS')) return undefined;
  if (cursor.kind !== T.BraceOpen) cursor.unexpected('an object after OPTIONS');
  return parseObject(cursor);
}

/** The target of a data modification: a name, quoted or in a string, or `@@name`. */
export function parseTarget(cursor: Cursor): CollectionRef {
  const { start } = cursor;
  if (cursor.kind === T.Param) {
    cursor.unexpected(`a collection; a bind parameter for it is written @${paramText(cursor)}`);
  }
  if (cursor.kind !== T.String) return parseCollection(cursor);
  const name = cursor.string();
  return Object.freeze({ type: 'CollectionName', span: cursor.span(start), name });
}

function paramText(cursor: Cursor): string {
  return cursor.text.slice(cursor.start, cursor.end);
}

/** A collection by name, `@@name` or `@name`. */
export function parseCollection(cursor: Cursor): CollectionRef {
  const { start } = cursor;
  if (cursor.kind === T.CollectionParam || cursor.kind === T.Param) {
    const key = cursor.rest(1);
    return Object.freeze({ type: 'CollectionParameter', span: cursor.span(start), key });
  }
  const name = cursor.name('a collection');
  return Object.freeze({ type: 'CollectionName', span: cursor.span(start), name });
}
