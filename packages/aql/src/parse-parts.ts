import type { Expression, ObjectLiteral, Quantifier, QuantifierKind } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { parseGroup, parseObject } from './parse-brackets.ts';
import { K, T } from './token.ts';

/** Small parts that several clauses and expressions share. */

/** Whether `AT LEAST (` stands `ahead` tokens on. */
export function atAtLeast(cursor: Cursor, ahead: number = 0): boolean {
  return (
    cursor.atWord('AT', ahead) &&
    cursor.atWord('LEAST', ahead + 1) &&
    cursor.peek(ahead + 2) === T.ParenOpen
  );
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
