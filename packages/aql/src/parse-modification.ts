import type { Clause, Expression } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { parseObject } from './parse-brackets.ts';
import { parseParameter, parseTarget } from './parse-names.ts';
import { parseOptions } from './parse-parts.ts';
import { K, T } from './token.ts';

/** `INSERT document INTO|IN collection [OPTIONS …]`. */
export function parseInsert(cursor: Cursor): Clause {
  const { start } = cursor;
  cursor.step();
  const document = beforeTarget(cursor);
  const target = parseTargetAndOptions(cursor, 'INSERT');
  return Object.freeze({ type: 'Insert', span: cursor.span(start), document, ...target });
}

/** `REMOVE key INTO|IN collection [OPTIONS …]`. */
export function parseRemove(cursor: Cursor): Clause {
  const { start } = cursor;
  cursor.step();
  const key = beforeTarget(cursor);
  const target = parseTargetAndOptions(cursor, 'REMOVE');
  return Object.freeze({ type: 'Remove', span: cursor.span(start), key, ...target });
}

/** `UPDATE [key WITH] document INTO|IN collection [OPTIONS …]`, and the same with REPLACE. */
export function parseUpdate(cursor: Cursor): Clause {
  const { start, kind } = cursor;
  cursor.step();
  const first = beforeTarget(cursor);
  const second = cursor.accept(K.WITH) ? beforeTarget(cursor) : undefined;
  const key = second === undefined ? undefined : first;
  const document = second ?? first;
  const target = parseTargetAndOptions(cursor, kind === K.UPDATE ? 'UPDATE' : 'REPLACE');
  const type = kind === K.UPDATE ? 'Update' : 'Replace';
  return Object.freeze({ type, span: cursor.span(start), key, document, ...target });
}

/** `UPSERT example|FILTER condition INSERT … UPDATE|REPLACE … INTO|IN collection [OPTIONS …]`. */
export function parseUpsert(cursor: Cursor): Clause {
  const { start } = cursor;
  cursor.step();
  const searchKind = cursor.accept(K.FILTER) ? 'filter' : 'example';
  const search = searchKind === 'filter' ? cursor.grammar.expression(cursor) : parseExample(cursor);
  cursor.expect(K.INSERT, 'after what UPSERT looks for');
  const insert = cursor.grammar.expression(cursor);
  const modifyKind = cursor.kind === K.UPDATE ? 'UPDATE' : 'REPLACE';
  if (cursor.kind !== K.UPDATE && cursor.kind !== K.REPLACE) {
    cursor.unexpected('UPDATE or REPLACE after the document to insert', ['UPDATE', 'REPLACE']);
  }
  cursor.step();
  const modify = beforeTarget(cursor);
  const target = parseTargetAndOptions(cursor, 'UPSERT');
  return Object.freeze({
    type: 'Upsert',
    span: cursor.span(start),
    search,
    searchKind,
    insert,
    modifyKind,
    modify,
    ...target,
  });
}

function parseExample(cursor: Cursor): Expression {
  if (cursor.kind === T.BraceOpen) return parseObject(cursor);
  if (cursor.kind === T.Param) return parseParameter(cursor);
  return cursor.unexpected('an object, a bind parameter or FILTER after UPSERT');
}

/** An expression that `IN collection` ends. */
function beforeTarget(cursor: Cursor): Expression {
  const outerStop = cursor.stopAtTarget;
  cursor.stopAtTarget = true;
  const expression = cursor.grammar.expression(cursor);
  cursor.stopAtTarget = outerStop;
  return expression;
}

function parseTargetAndOptions(
  cursor: Cursor,
  clause: string,
): Pick<Extract<Clause, { type: 'Insert' }>, 'collection' | 'options'> {
  if (!cursor.accept(K.INTO) && !cursor.accept(K.IN)) {
    cursor.unexpected(`INTO or IN and the collection of ${clause}`, ['INTO', 'IN']);
  }
  return { collection: parseTarget(cursor), options: parseOptions(cursor) };
}
