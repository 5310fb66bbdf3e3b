import { isArray, objectFrom, suggest, type Value } from '@themisdb/base';
import type {
  BoundMember,
  BoundProperty,
  CollectionParameter,
  Expansion,
  Expression,
  FunctionCall,
  Property,
  Reference,
  Satisfies,
  Subquery,
} from '@themisdb/aql';
import type { CollectionInfo } from '@themisdb/storage';
import { mustFindFunction } from '../expression/call.ts';
import { mapOperands } from '../expression/map-node.ts';
import { valueToExpression } from '../expression/index.ts';

import type { PlanNode } from './node.ts';
import { mustBeNew, reference, type Place } from './place.ts';
import { Scope } from './scope.ts';

/**
 * Resolves names and parameters, and hoists what must wait (subqueries, DOCUMENT(), counting a
 * collection) into nodes before the one the expression belongs to.
 */
export function bindExpression(node: Expression, place: Place): Expression {
  switch (node.type) {
    case 'Reference':
      return bindReference(node, place);
    case 'BindParameter':
      place.context.param(node.name, node.span, 'runtime');
      return { type: 'Reference', span: node.span, name: `@${node.name}` };
    case 'CollectionParameter':
      throw collectionInExpression(place, node, place.context.collectionName(node));
    case 'BoundMember':
      return bindMember(node, place);
    case 'Object':
      return {
        ...node,
        properties: node.properties.map((property) => bindProperty(property, place)),
      };
    case 'Binary':
      return {
        ...node,
        left: bindExpression(node.left, place),
        right: hasFixedOperand(node.operator)
          ? bindFixed(node.right, place)
          : bindExpression(node.right, place),
      };
    case 'Expansion':
    case 'ArrayTest':
      return bindInline(node, place);
    case 'ArrayComparison': {
      const right = bindFixed(node.right, place);
      return mapOperands(node, (operand) =>
        operand === node.right ? right : bindExpression(operand, place),
      );
    }
    case 'Satisfies':
      return bindSatisfies(node, place);
    case 'Subquery':
      return hoistSubquery(node, place);
    case 'FunctionCall':
      return bindCall(node, place);
    default:
      return mapOperands(node, (operand) => bindExpression(operand, place));
  }
}

/** Operators that are much faster when their right operand is known before the run. */
function hasFixedOperand(operator: string): boolean {
  return /^(NOT )?(IN|LIKE)$|^[=!]~$/.test(operator);
}

/** As bindExpression, but a parameter becomes its value. */
function bindFixed(node: Expression, place: Place): Expression {
  if (node.type !== 'BindParameter') return bindExpression(node, place);
  return valueToExpression(place.context.param(node.name, node.span, 'structural'), node.span);
}

function bindReference(node: Reference, place: Place): Expression {
  const { context, scope } = place;
  const inline = place.inline.get(node.name);
  const name = inline ?? scope.resolve(node.name);
  if (name !== undefined) return name === node.name ? node : reference(name, node.span);
  if (scope.inlineAround.has(node.name)) {
    throw context.notImplemented(node.span, `A subquery that uses ${node.name} from around it`);
  }
  if (context.findCollection(node.name) !== undefined) {
    throw collectionInExpression(place, node, node.name);
  }
  const near = suggest(node.name, [...scope.names(), ...place.inline.keys()]);
  const hint = near === undefined ? '' : ` Did you mean ${near}?`;
  throw context.error(
    'AQL_UNKNOWN_VARIABLE',
    node.span,
    `There is no variable ${node.name} in scope.${hint}`,
    { name: node.name, ...(near === undefined ? {} : { suggestion: near }) },
  );
}

function collectionInExpression(
  place: Place,
  node: Reference | CollectionParameter,
  name: string,
): Error {
  return place.context.error(
    'AQL_COLLECTION_IN_EXPRESSION',
    node.span,
    `Collection ${name} stands where a value is needed: read it with FOR, or count it with LENGTH(${name}).`,
    { collection: name },
  );
}

function bindMember(node: BoundMember, place: Place): Expression {
  const { attribute } = node;
  const key = attribute.name;
  const value = place.context.param(key, attribute.span, 'structural');
  const steps = typeof value === 'string' ? [value] : value;
  if (!isArray(steps) || !steps.every((step) => typeof step === 'string')) {
    throw place.context.error(
      'AQL_BIND_TYPE',
      attribute.span,
      `Bind parameter @${key} names an attribute: it must be a string or an array of strings.`,
      { parameter: key },
    );
  }
  let object = bindExpression(node.object, place);
  for (const name of steps) object = { type: 'Member', span: node.span, object, name };
  return object;
}

function bindProperty(property: Property, place: Place): Property {
  const value = bindExpression(property.value, place);
  if (property.type === 'NamedProperty') {
    return { ...property, value, shorthand: false };
  }
  if (property.type === 'ComputedProperty') {
    return { ...property, key: bindExpression(property.key, place), value };
  }
  return {
    type: 'NamedProperty',
    span: property.span,
    name: boundName(property, place),
    value,
    shorthand: false,
  };
}

function boundName({ key }: BoundProperty, place: Place): string {
  const name = place.context.param(key.name, key.span, 'structural');
  if (typeof name === 'string') return name;
  throw place.context.error(
    'AQL_BIND_TYPE',
    key.span,
    `Bind parameter @${key.name} names an attribute: it must be a string.`,
    { parameter: key.name },
  );
}

type Inline = Extract<Expression, { type: 'Expansion' | 'ArrayTest' }>;

function bindInline(node: Inline, place: Place): Expression {
  if (node.type === 'Expansion' && mustBeSubquery(node)) return expansionAsSubquery(node, place);
  const source = bindExpression(node.source, place);
  const inner: Place = { ...place, inline: new Map([...place.inline, ['CURRENT', 'CURRENT']]) };
  return mapOperands(node, (operand) =>
    operand === node.source ? source : bindExpression(operand, inner),
  );
}

/** Whether something in an expansion must wait for every element: a subquery, a document. */
function mustBeSubquery({ filter, projection, body }: Expansion): boolean {
  let waits = false;
  const visit = (part: Expression): Expression => {
    waits ||= part.type === 'Subquery';
    waits ||= part.type === 'FunctionCall' && part.name === 'DOCUMENT';
    return mapOperands(part, visit);
  };
  for (const part of [filter, projection, body]) if (part !== undefined) visit(part);
  return waits;
}

/**
 * `source[* FILTER f LIMIT l RETURN p].body` as
 * `(FOR CURRENT IN source[*] FILTER f LIMIT l LET item = p RETURN item.body)`.
 */
function expansionAsSubquery(node: Expansion, place: Place): Expression {
  const { span, filter, limit, projection } = node;
  const { context } = place;
  const element = context.names.declare('CURRENT');
  const item = context.names.declare('CURRENT');
  const scope = new Scope(place.scope, new Set(place.inline.keys()));
  const body: PlanNode[] = [];
  const inner: Place = { ...place, scope, inline: new Map(), emit: (each) => body.push(each) };
  const bind = (part: Expression): Expression => bindExpression(part, inner);
  const list: Expression = {
    ...node,
    source: bindExpression(node.source, place),
    filter: undefined,
    limit: undefined,
    projection: undefined,
    body: { type: 'ExpansionItem', span },
  };
  body.push({ type: 'enumerate', id: context.id(), variable: element, list });
  scope.declare('CURRENT', element);
  if (filter !== undefined) {
    const condition = bind(filter);
    body.push({ type: 'filter', id: context.id(), condition });
  }
  if (limit !== undefined) {
    const offset = limit.offset && bind(limit.offset);
    const count = bind(limit.count);
    body.push({ type: 'limit', id: context.id(), offset, count, fullCount: false });
  }
  const value = projection === undefined ? reference(element, span) : bind(projection);
  body.push({ type: 'let', id: context.id(), variable: item, value });
  scope.declare(item, item);
  const result = bind(withItem(node.body, reference(item, span)));
  body.push({ type: 'return', id: context.id(), value: result, distinct: false });
  const variable = context.names.temporary();
  place.emit({
    type: 'subquery',
    id: context.id(),
    variable,
    body,
    once: false,
    modifies: false,
  });
  return reference(variable, span);
}

/** The body of an expansion with `item` for its element; the bodies of inner ones have their own. */
function withItem(body: Expression, item: Expression): Expression {
  if (body.type === 'ExpansionItem') return item;
  if (body.type === 'Expansion') return { ...body, source: withItem(body.source, item) };
  return mapOperands(body, (part) => withItem(part, item));
}

function bindSatisfies(node: Satisfies, place: Place): Expression {
  const { variable } = node;
  mustBeNew(variable.name, variable.span, place);
  const unique = place.context.names.declare(variable.name);
  const inner: Place = { ...place, inline: new Map([...place.inline, [variable.name, unique]]) };
  return {
    ...node,
    variable: { ...variable, name: unique },
    source: bindExpression(node.source, place),
    condition: bindExpression(node.condition, inner),
  };
}

function hoistSubquery(node: Subquery, place: Place): Expression {
  const variable = place.context.names.temporary();
  emitSubquery(node, variable, place);
  return reference(variable, node.span);
}

/** Emits the node that runs a subquery and puts its results into `variable`. */
export function emitSubquery(node: Subquery, variable: string, place: Place): void {
  const { context } = place;
  const writesBefore = context.writes.size;
  const scope = new Scope(place.scope, new Set(place.inline.keys()));
  const body = place.bindSubquery(node.clauses, scope);
  place.emit({
    type: 'subquery',
    id: context.id(),
    variable,
    body,
    once: false,
    modifies: context.writes.size > writesBefore,
  });
}

function bindCall(node: FunctionCall, place: Place): Expression {
  switch (node.name) {
    case 'DOCUMENT':
      return bindDocument(node, place);
    case 'LENGTH':
    case 'COUNT':
    case 'COLLECTION_COUNT':
      return bindCount(node, place) ?? bindPlainCall(node, place);
    case 'COLLECTIONS':
      return listCollections(node, place);
    default:
      return bindPlainCall(node, place);
  }
}

function bindPlainCall(node: FunctionCall, place: Place): Expression {
  try {
    mustFindFunction(node);
  } catch (error) {
    throw place.context.positioned(error, node.span);
  }
  return { ...node, arguments: node.arguments.map((argument) => bindExpression(argument, place)) };
}

/** The collection an argument names without quotes, if it does. */
function namedCollection(node: Expression, place: Place): CollectionInfo | undefined {
  const { context, scope } = place;
  if (node.type === 'CollectionParameter') {
    return context.mustCollection(context.collectionName(node), node.span);
  }
  if (node.type !== 'Reference' || place.inline.has(node.name)) return undefined;
  return scope.resolve(node.name) === undefined ? context.findCollection(node.name) : undefined;
}

function bindCount(node: FunctionCall, place: Place): Expression | undefined {
  const [argument] = node.arguments;
  if (node.arguments.length !== 1 || argument === undefined) return undefined;
  let collection = namedCollection(argument, place);
  if (collection === undefined && node.name === 'COLLECTION_COUNT') {
    const name = argument.type === 'String' ? argument.value : undefined;
    if (name === undefined) {
      throw place.context.notImplemented(argument.span, 'COLLECTION_COUNT() of a computed name');
    }
    collection = place.context.mustCollection(name, argument.span);
  }
  if (collection === undefined) return undefined;
  const variable = place.context.names.temporary();
  place.context.noteRead(collection, argument.span);
  place.emit({ type: 'count', id: place.context.id(), variable, collection });
  return reference(variable, node.span);
}

/** DOCUMENT(id), DOCUMENT(ids), DOCUMENT(collection, key), DOCUMENT(collection, keys). */
function bindDocument(node: FunctionCall, place: Place): Expression {
  const { context } = place;
  const [first, second] = node.arguments;
  if (first === undefined || node.arguments.length > 2) {
    throw context.error(
      'AQL_FUNCTION_ARGUMENTS',
      node.span,
      `DOCUMENT() takes 1 to 2 arguments, ${node.arguments.length} given.`,
      { function: 'DOCUMENT', given: node.arguments.length, min: 1, max: 2 },
    );
  }
  if (context.writes.size > 0) {
    throw context.error(
      'AQL_ACCESS_AFTER_MODIFICATION',
      node.span,
      'DOCUMENT() cannot stand after a data modification: split the query.',
      { function: 'DOCUMENT' },
    );
  }
  const named = second === undefined ? undefined : namedCollection(first, place);
  if (named !== undefined) context.noteRead(named, first.span);
  const outer = inlineNames(node, place);
  if (outer !== undefined) throw context.notImplemented(node.span, `DOCUMENT() of ${outer}`);
  const variable = context.names.temporary();
  const lookup: PlanNode = {
    type: 'lookup',
    id: context.id(),
    variable,
    collection:
      second === undefined
        ? undefined
        : named === undefined
          ? bindExpression(first, place)
          : valueToExpression(named.name, first.span),
    ids: bindExpression(second ?? first, place),
  };
  place.emit(lookup);
  return reference(variable, node.span);
}

/** A name of an inline expression that `node` depends on: such a node cannot be hoisted. */
function inlineNames(node: Expression, place: Place): string | undefined {
  let found: string | undefined;
  const visit = (part: Expression): Expression => {
    if (part.type === 'Reference' && place.inline.has(part.name)) found = part.name;
    if (part.type === 'ExpansionItem') found = 'the elements of an array expansion';
    return mapOperands(part, visit);
  };
  visit(node);
  return found;
}

function listCollections(node: FunctionCall, place: Place): Expression {
  const { input } = place.context;
  const list = input.catalog
    .collections(input.namespace)
    .map((info): Value => objectFrom({ _id: String(info.id), name: info.name }));
  return valueToExpression(list, node.span);
}
