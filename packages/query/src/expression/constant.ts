import { isArray, type Value } from '@themisdb/base';
import type { Expression, Span } from '@themisdb/aql';
import { functionTable } from '../functions/index.ts';
import { tryEvaluateConstant } from './code.ts';
import { compileCode } from './compile.ts';
import type { CompileScope } from './contract.ts';
import { mapOperands } from './map-node.ts';

/** The part of the scope that constants can see. */
export type BindScope = Pick<CompileScope, 'bind'>;

/**
 * Whether the value is the same for every row and run: no variables of the query, no subqueries,
 * no collections, only deterministic functions. Bind parameters count as constant.
 */
export function isConstant(node: Expression): boolean {
  return freeNames(node)?.size === 0;
}

// Nodes never change, so each is looked at once.
const knownFreeNames = new WeakMap<Expression, ReadonlySet<string> | undefined>();
const none: ReadonlySet<string> = new Set();
const item = '[*]';

/** The variables a value depends on; undefined when it depends on more than variables. */
function freeNames(node: Expression): ReadonlySet<string> | undefined {
  if (knownFreeNames.has(node)) return knownFreeNames.get(node);
  const names = findFreeNames(node);
  knownFreeNames.set(node, names);
  return names;
}

function findFreeNames(node: Expression): ReadonlySet<string> | undefined {
  switch (node.type) {
    case 'Reference':
      return new Set([node.name]);
    case 'ExpansionItem':
      return new Set([item]);
    case 'Subquery':
    case 'CollectionParameter':
      return undefined;
    case 'FunctionCall':
      return functionTable.get(node.name)?.deterministic === true
        ? namesOfOperands(node, none)
        : undefined;
    case 'Expansion':
      return namesOfOperands(node, new Set(['CURRENT', item]));
    case 'ArrayTest':
      return namesOfOperands(node, new Set(['CURRENT']));
    case 'Satisfies':
      return namesOfOperands(node, new Set([node.variable.name]));
    default:
      return namesOfOperands(node, none);
  }
}

/** `bound` are the variables the node itself declares; its source does not see them. */
function namesOfOperands(
  node: Expression,
  bound: ReadonlySet<string>,
): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  let pure = true;
  mapOperands(node, (operand) => {
    const found = freeNames(operand);
    const isSource = 'source' in node && operand === node.source;
    if (found === undefined) pure = false;
    else for (const name of found) if (isSource || !bound.has(name)) names.add(name);
    return operand;
  });
  if (!pure) return undefined;
  return names.size === 0 ? none : names;
}

/**
 * The value of a constant expression; undefined when it is not constant, and when its evaluation
 * would warn, fail or be costly, which is then left to the run.
 *
 * Errors: those of compileExpression.
 */
export function constantValue(node: Expression, scope: BindScope): Value | undefined {
  if (!isConstant(node)) return undefined;
  const code = compileCode(node, constantScope(scope));
  return code.constant ?? tryEvaluateConstant(code.run);
}

/**
 * The same expression with constant parts replaced by literals. Bind parameters and literals of any
 * kind that stand alone are left as they are: nothing would be gained.
 */
export function foldConstants(node: Expression, scope: BindScope): Expression {
  if (isPlain(node)) return node;
  const value = constantValue(node, scope);
  if (value !== undefined) return valueToExpression(value, node.span);
  return asMember(mapOperands(node, (operand) => foldConstants(operand, scope)));
}

/** `object["name"]` is `object.name`, unless the name could be a position in an array. */
function asMember(node: Expression): Expression {
  if (node.type !== 'Index' || node.index.type !== 'String') return node;
  const name = node.index.value;
  if (!/^[^\d\s+-]/.test(name)) return node;
  return { type: 'Member', span: node.span, object: node.object, name };
}

function isPlain(node: Expression): boolean {
  switch (node.type) {
    case 'Null':
    case 'Boolean':
    case 'Number':
    case 'String':
    case 'BindParameter':
    case 'CollectionParameter':
    case 'Reference':
    case 'ExpansionItem':
    case 'Subquery':
      return true;
    case 'Array':
      return node.elements.every(isPlain) && isConstant(node);
    default:
      return false;
  }
}

/** The literal that evaluates to `value`. */
export function valueToExpression(value: Value, span: Span): Expression {
  switch (typeof value) {
    case 'boolean':
      return { type: 'Boolean', span, value };
    case 'string':
      return { type: 'String', span, value };
    case 'number':
      if (value >= 0) return { type: 'Number', span, value };
      return {
        type: 'Unary',
        span,
        operator: '-',
        operand: { type: 'Number', span, value: -value },
      };
    default:
      if (value === null) return { type: 'Null', span };
      if (isArray(value)) {
        return {
          type: 'Array',
          span,
          elements: value.map((item) => valueToExpression(item, span)),
        };
      }
      return {
        type: 'Object',
        span,
        properties: Object.entries(value).map(([name, item]) => ({
          type: 'NamedProperty',
          span,
          name,
          value: valueToExpression(item, span),
          shorthand: false,
        })),
      };
  }
}

function constantScope(scope: BindScope): CompileScope {
  let registers = 0;
  return {
    register: () => undefined,
    projection: () => undefined,
    hoisted: () => undefined,
    allocate: () => registers++,
    bind: (name) => scope.bind(name),
  };
}
