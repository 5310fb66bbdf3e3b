import { isObject, type Value } from '@themisdb/base';
import type {
  CollectionRef,
  Expression,
  Modification,
  ObjectLiteral,
  Span,
  Upsert,
} from '@themisdb/aql';
import type { CollectionInfo } from '@themisdb/storage';
import { valueToExpression } from '../expression/index.ts';
import { bindExpression } from './bind-expression.ts';
import { bindModifyOptions } from './bind-options.ts';
import { scanAll } from './build.ts';
import type { ModifyNode, PlanNode } from './node.ts';
import { reference, type Place } from './place.ts';
import { Scope } from './scope.ts';
import { variablesOfNode } from './variables.ts';

/** INSERT, UPDATE, REPLACE, REMOVE and UPSERT; OLD and NEW are in sight after them. */
export function bindModification(clause: Modification, place: Place): void {
  if (clause.type === 'Upsert') return bindUpsert(clause, place);
  const { context } = place;
  const key =
    clause.type === 'Insert' || clause.key === undefined
      ? undefined
      : bindExpression(clause.key, place);
  const document = clause.type === 'Remove' ? undefined : bindExpression(clause.document, place);
  const name = clause.type.toUpperCase();
  const options = bindModifyOptions(clause.options, name, context);
  const collection = bindTarget(clause.collection, place);
  place.emit({
    type: 'modify',
    id: context.id(),
    operation: clause.type.toLowerCase() as ModifyNode['operation'],
    collection,
    key,
    document,
    options,
    ...declareOldAndNew(place),
    oldUsed: true,
    newUsed: true,
  });
}

function bindTarget(ref: CollectionRef, place: Place): CollectionInfo {
  const { context } = place;
  const collection = context.mustCollection(context.collectionName(ref), ref.span);
  context.noteWrite(collection, ref.span);
  return collection;
}

function declareOldAndNew(place: Place): { old: string; new: string } {
  const old = place.context.names.declare('OLD');
  const fresh = place.context.names.declare('NEW');
  place.scope.declare('OLD', old);
  place.scope.declare('NEW', fresh);
  return { old, new: fresh };
}

function bindUpsert(clause: Upsert, place: Place): void {
  const { context } = place;
  const candidate = context.names.declare('CURRENT');
  const conditions = bindSearch(clause, candidate, place);
  const insert = bindExpression(clause.insert, place);
  const { hint, ...options } = bindModifyOptions(clause.options, 'UPSERT', context);
  const scope = new Scope(place.scope);
  const old = context.names.declare('OLD');
  scope.declare('OLD', old);
  const emit = (node: PlanNode): void => {
    // What is hoisted is computed before the document is found.
    if (variablesOfNode(node).has(old)) {
      throw context.notImplemented(clause.modify.span, 'A subquery or DOCUMENT() of OLD in UPSERT');
    }
    place.emit(node);
  };
  const modify = bindExpression(clause.modify, { ...place, scope, emit });
  const collection = bindTarget(clause.collection, place);
  const fresh = context.names.declare('NEW');
  place.scope.declare('OLD', old);
  place.scope.declare('NEW', fresh);
  const scan: PlanNode = { ...scanAll(context.id(), candidate, collection), hint };
  const filters = conditions.map((condition): PlanNode => ({
    type: 'filter',
    id: context.id(),
    condition,
  }));
  const value = reference(candidate, clause.search.span);
  const found: PlanNode = { type: 'return', id: context.id(), value, distinct: false };
  place.emit({
    type: 'upsert',
    id: context.id(),
    collection,
    search: [scan, ...filters, found],
    insert,
    modify,
    modifyKind: clause.modifyKind === 'UPDATE' ? 'update' : 'replace',
    options,
    old,
    new: fresh,
  });
}

function bindSearch(clause: Upsert, candidate: string, place: Place): Expression[] {
  const { search } = clause;
  if (clause.searchKind === 'filter') {
    const inline = new Map([...place.inline, ['CURRENT', candidate] as const]);
    return [bindExpression(search, { ...place, inline })];
  }
  const example =
    search.type === 'BindParameter' ? exampleOf(search.name, search.span, place) : search;
  if (example.type !== 'Object') {
    throw place.context.error(
      'AQL_INVALID_ARGUMENT',
      search.span,
      'UPSERT searches by an object literal or an object parameter, or by FILTER and a condition.',
    );
  }
  return exampleConditions(example, reference(candidate, search.span), place);
}

function exampleOf(name: string, span: Span, place: Place): Expression {
  const value: Value = place.context.param(name, span, 'structural');
  if (isObject(value)) return valueToExpression(value, span);
  throw place.context.error(
    'AQL_BIND_TYPE',
    span,
    `Bind parameter @${name} is the example UPSERT searches by: it must be an object.`,
    { parameter: name },
  );
}

/** `{a: 1, b: {c: x}}` is `CURRENT.a == 1 && CURRENT.b.c == x`. */
function exampleConditions(example: ObjectLiteral, object: Expression, place: Place): Expression[] {
  return example.properties.flatMap((property): Expression[] => {
    const { span } = property;
    if (property.type === 'ComputedProperty') {
      throw place.context.error(
        'AQL_INVALID_ARGUMENT',
        span,
        'The example of UPSERT cannot have computed attribute names.',
      );
    }
    const name =
      property.type === 'NamedProperty'
        ? property.name
        : String(place.context.param(property.key.name, property.key.span, 'structural'));
    const member: Expression = { type: 'Member', span, object, name };
    if (property.value.type === 'Object' && property.value.properties.length > 0) {
      return exampleConditions(property.value, member, place);
    }
    const right = bindExpression(property.value, place);
    return [{ type: 'Binary', span, operator: '==', left: member, right }];
  });
}
