import type {
  Aggregate,
  Assignment,
  Clause,
  CollectInto,
  Expression,
  ObjectLiteral,
  Property,
  Reference,
  Variable,
} from './ast.ts';
import type { Cursor } from './cursor.ts';
import { parseObject } from './parse-brackets.ts';
import { parseOptions } from './parse-parts.ts';
import { K, T } from './token.ts';

/** `COLLECT [groups] [AGGREGATE …] [INTO … [KEEP …]] | [WITH COUNT INTO …] [OPTIONS …]`. */
export function parseCollect(cursor: Cursor): Clause {
  const { start } = cursor;
  cursor.step();
  const groups = cursor.atName() ? parseGroups(cursor) : Object.freeze([]);
  const aggregates = cursor.kind === K.AGGREGATE ? parseAggregates(cursor) : Object.freeze([]);
  const countInto = aggregates.length === 0 ? parseCountInto(cursor) : undefined;
  if (groups.length === 0 && aggregates.length === 0 && countInto === undefined) {
    cursor.unexpected('a group (name = expression), AGGREGATE or WITH COUNT INTO after COLLECT');
  }
  const into = countInto === undefined ? parseInto(cursor) : undefined;
  const keep = parseKeep(cursor, into);
  const options = parseOptions(cursor);
  return Object.freeze({
    type: 'Collect',
    span: cursor.span(start),
    groups,
    aggregates,
    into,
    keep,
    countInto,
    options,
  });
}

function parseGroups(cursor: Cursor): readonly Assignment[] {
  const groups: Assignment[] = [];
  do {
    const { start } = cursor;
    const variable = cursor.variable('a variable name for the group');
    cursor.expect(T.Assign, 'after the variable of the group');
    const value = cursor.grammar.expression(cursor);
    groups.push(Object.freeze({ type: 'Assignment', span: cursor.span(start), variable, value }));
  } while (cursor.accept(T.Comma));
  return Object.freeze(groups);
}

function parseAggregates(cursor: Cursor): readonly Aggregate[] {
  cursor.step();
  const aggregates: Aggregate[] = [];
  do {
    const { start } = cursor;
    const variable = cursor.variable('a variable name for the aggregate');
    cursor.expect(T.Assign, 'after the variable of the aggregate');
    const call = cursor.grammar.expression(cursor);
    if (call.type !== 'FunctionCall') {
      return cursor.fail('an aggregate must be a function call, such as SUM(x)', call.span.start);
    }
    aggregates.push(Object.freeze({ type: 'Aggregate', span: cursor.span(start), variable, call }));
  } while (cursor.accept(T.Comma));
  return Object.freeze(aggregates);
}

function parseCountInto(cursor: Cursor): Variable | undefined {
  if (!cursor.accept(K.WITH)) return undefined;
  if (!cursor.acceptWord('COUNT')) cursor.unexpected('COUNT INTO after WITH', ['COUNT']);
  cursor.expect(K.INTO, 'after WITH COUNT');
  return cursor.variable('a variable name for the count');
}

function parseInto(cursor: Cursor): CollectInto | undefined {
  const { start } = cursor;
  if (!cursor.accept(K.INTO)) return undefined;
  const variable = cursor.variable('a variable name for the groups');
  const projection = cursor.accept(T.Assign) ? cursor.grammar.expression(cursor) : undefined;
  return Object.freeze({ type: 'CollectInto', span: cursor.span(start), variable, projection });
}

function parseKeep(
  cursor: Cursor,
  into: CollectInto | undefined,
): readonly Reference[] | undefined {
  if (!cursor.atWord('KEEP')) return undefined;
  if (into === undefined) cursor.fail('KEEP needs INTO before it');
  cursor.step();
  const kept: Reference[] = [];
  do {
    const { start } = cursor;
    const name = cursor.name('a variable to keep');
    kept.push(Object.freeze({ type: 'Reference', span: cursor.span(start), name }));
  } while (cursor.accept(T.Comma));
  return Object.freeze(kept);
}

/** `WINDOW {preceding, following} AGGREGATE …` or `WINDOW range WITH {…} AGGREGATE …`. */
export function parseWindow(cursor: Cursor): Clause {
  const { start } = cursor;
  cursor.step();
  const first = cursor.grammar.expression(cursor);
  let range: Expression | undefined;
  let bounds: Expression = first;
  if (cursor.accept(K.WITH)) {
    range = first;
    if (cursor.kind !== T.BraceOpen) cursor.unexpected('the bounds as an object after WITH');
    bounds = parseObject(cursor);
  }
  if (bounds.type !== 'Object') {
    return cursor.fail(
      'the bounds of WINDOW must be an object with "preceding" and "following"',
      bounds.span.start,
    );
  }
  const { preceding, following } = windowBounds(cursor, bounds);
  if (cursor.kind !== K.AGGREGATE) cursor.unexpected('AGGREGATE after the bounds of WINDOW');
  const aggregates = parseAggregates(cursor);
  const span = cursor.span(start);
  return Object.freeze({ type: 'Window', span, range, preceding, following, aggregates });
}

function windowBounds(
  cursor: Cursor,
  bounds: ObjectLiteral,
): { preceding: Expression | undefined; following: Expression | undefined } {
  const found: Record<'preceding' | 'following', Expression | undefined> = {
    preceding: undefined,
    following: undefined,
  };
  for (const property of bounds.properties) {
    const name = boundName(cursor, property);
    if (found[name] !== undefined) cursor.fail(`"${name}" is given twice`, property.span.start);
    found[name] = property.value;
  }
  if (bounds.properties.length === 0) {
    cursor.fail('WINDOW needs at least one of "preceding" and "following"', bounds.span.start);
  }
  return found;
}

function boundName(cursor: Cursor, property: Property): 'preceding' | 'following' {
  if (property.type === 'NamedProperty') {
    if (property.name === 'preceding' || property.name === 'following') return property.name;
  }
  return cursor.fail(
    'the bounds of WINDOW have the attributes "preceding" and "following" only',
    property.span.start,
  );
}
