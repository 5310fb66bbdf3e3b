import type { BindParameter, CollectionParameter, CollectionRef } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { T } from './token.ts';

/** Bind parameters, and collections where only a collection may stand. */

/** `@name` or `@@name` at the current token. */
export function parseParameter(cursor: Cursor): BindParameter | CollectionParameter {
  const { start } = cursor;
  if (cursor.kind === T.CollectionParam) {
    const key = cursor.rest(1);
    return Object.freeze({ type: 'CollectionParameter', span: cursor.span(start), key });
  }
  return parseBindParameter(cursor);
}

/** `@name` at the current token. */
export function parseBindParameter(cursor: Cursor): BindParameter {
  const { start } = cursor;
  const name = cursor.rest(1);
  return Object.freeze({ type: 'BindParameter', span: cursor.span(start), name });
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
