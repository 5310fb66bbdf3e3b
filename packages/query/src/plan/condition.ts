import { compareValues, type Value } from '@themisdb/base';
import type { Binary, Expression } from '@themisdb/aql';
import { constantValue, isConstant } from '../expression/index.ts';
import { asAccess } from './attribute-access.ts';
import { isMovable } from './rewrite.ts';
import { variablesOf } from './variables.ts';

/**
 * A condition on one attribute of a scanned variable, in the form an index can serve. `value` does not
 * depend on the variable.
 */
export interface Condition {
  readonly kind: 'equal' | 'in' | 'lower' | 'upper' | 'contains';
  readonly steps: readonly string[];
  /** Of `contains`: steps inside each element of the array at `steps`. */
  readonly elementSteps: readonly string[];
  readonly value: Expression;
  /** Of `lower` and `upper`. */
  readonly inclusive: boolean;
  /** The filter it came from. */
  readonly source: Expression;
  /** It says all that the filter says. */
  readonly exact: boolean;
}

/** What a filter says about attributes of `variable`; LIKE gives two conditions, most others one. */
export function conditionsOf(filter: Expression, variable: string): Condition[] {
  if (!isMovable(filter)) return [];
  switch (filter.type) {
    case 'Binary':
      return ofBinary(filter, variable);
    case 'ArrayComparison': {
      const { quantifier, operator, left, right } = filter;
      if (quantifier.kind !== 'ANY' || operator !== '==') return [];
      return contains(left, right, filter, variable);
    }
    case 'FunctionCall': {
      const [text, prefix] = filter.arguments;
      if (filter.name !== 'STARTS_WITH' || filter.arguments.length !== 2) return [];
      const constant = constantText(prefix!);
      return constant === undefined ? [] : prefixRange(text!, constant, filter, variable);
    }
    default:
      return [];
  }
}

function ofBinary(filter: Binary, variable: string): Condition[] {
  const { operator, left, right } = filter;
  switch (operator) {
    case '==':
      return [
        ...compare('equal', false, left, right, filter, variable),
        ...compare('equal', false, right, left, filter, variable),
      ];
    case '<':
    case '<=':
      return [
        ...compare('upper', operator === '<=', left, right, filter, variable),
        ...compare('lower', operator === '<=', right, left, filter, variable),
      ];
    case '>':
    case '>=':
      return [
        ...compare('lower', operator === '>=', left, right, filter, variable),
        ...compare('upper', operator === '>=', right, left, filter, variable),
      ];
    case '!=':
      // Nothing is smaller than null, so "not null" is a range.
      return [
        ...(right.type === 'Null' ? compare('lower', false, left, right, filter, variable) : []),
        ...(left.type === 'Null' ? compare('lower', false, right, left, filter, variable) : []),
      ];
    case 'IN':
      return [
        ...compare('in', false, left, right, filter, variable),
        ...contains(right, left, filter, variable),
      ];
    case 'LIKE': {
      const pattern = constantText(right);
      if (pattern === undefined) return [];
      const prefix = /^[^%_\\]*/.exec(pattern)![0];
      return prefixRange(left, prefix, filter, variable);
    }
    default:
      return [];
  }
}

function compare(
  kind: Condition['kind'],
  inclusive: boolean,
  attribute: Expression,
  value: Expression,
  source: Expression,
  variable: string,
): Condition[] {
  const access = asAccess(attribute);
  if (access?.variable !== variable || access.steps.length === 0) return [];
  if (variablesOf(value).has(variable)) return [];
  const { steps } = access;
  return [{ kind, steps, elementSteps: [], value, inclusive, source, exact: true }];
}

/** `value IN doc.tags`, `value IN doc.tags[*]`, `value IN doc.items[*].sku`. */
function contains(
  array: Expression,
  value: Expression,
  source: Expression,
  variable: string,
): Condition[] {
  if (variablesOf(value).has(variable)) return [];
  const place = arrayPlace(array);
  if (place?.variable !== variable || place.steps.length === 0) return [];
  const { steps, elementSteps } = place;
  return [{ kind: 'contains', steps, elementSteps, value, inclusive: true, source, exact: true }];
}

function arrayPlace(
  node: Expression,
): { variable: string; steps: readonly string[]; elementSteps: readonly string[] } | undefined {
  const plain = asAccess(node);
  if (plain !== undefined) return { ...plain, elementSteps: [] };
  if (node.type !== 'Expansion' || node.levels !== 1) return undefined;
  if (node.filter !== undefined || node.limit !== undefined || node.projection !== undefined) {
    return undefined;
  }
  const source = asAccess(node.source);
  const elementSteps: string[] = [];
  let current = node.body;
  while (current.type === 'Member') {
    elementSteps.unshift(current.name);
    current = current.object;
  }
  if (source === undefined || current.type !== 'ExpansionItem') return undefined;
  return { ...source, elementSteps };
}

function constantText(node: Expression): string | undefined {
  return node.type === 'String' ? node.value : undefined;
}

/** Strings that begin with `prefix`; the filter itself is still tried. */
function prefixRange(
  attribute: Expression,
  prefix: string,
  source: Expression,
  variable: string,
): Condition[] {
  const end = textAfter(prefix);
  if (prefix === '' || end === undefined) return [];
  const bound = (value: string): Expression => ({ type: 'String', span: source.span, value });
  return [
    ...compare('lower', true, attribute, bound(prefix), source, variable),
    ...compare('upper', false, attribute, bound(end), source, variable),
  ].map((condition) => ({ ...condition, exact: false }));
}

/** The smallest string greater than all that begin with `prefix`, by code point. */
export function textAfter(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0)!);
  for (;;) {
    const last = points.pop();
    if (last === undefined) return undefined;
    if (last === 0x10ffff) continue;
    return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
  }
}

/** Whether a condition holds only for attributes that are not null. */
export function excludesNull(
  condition: Condition,
  param: (name: string) => Value | undefined,
): boolean {
  const known = knownValue(condition.value, param);
  switch (condition.kind) {
    case 'equal':
    case 'contains':
      return known !== undefined && known !== null;
    case 'in':
      return Array.isArray(known) && (known as readonly Value[]).every((item) => item !== null);
    case 'lower':
      return !condition.inclusive || (known !== undefined && compareValues(known, null) > 0);
    case 'upper':
      return false;
  }
}

/** The value of a constant or, the plan being made for values of this type, of a parameter. */
function knownValue(
  node: Expression,
  param: (name: string) => Value | undefined,
): Value | undefined {
  if (node.type === 'Reference') {
    return node.name.startsWith('@') ? param(node.name.slice(1)) : undefined;
  }
  return isConstant(node) ? constantValue(node, { bind: () => undefined }) : undefined;
}
