import { compareValues, equalValues, isArray, type Value } from '@themisdb/base';
import type { ComparisonOperator } from '@themisdb/aql';
import { foldedCode, type Code } from './code.ts';
import type { Evaluate } from './contract.ts';

export type OrderOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';

/** Comparison by type and value, without casts ("Comparison operators", "Type and value order"). */
export function compileComparison(operator: OrderOperator, left: Code, right: Code): Code {
  const run =
    typeof right.constant === 'number'
      ? compareWithNumber(operator, left.run, right.constant)
      : isScalar(right.constant) && (operator === '==' || operator === '!=')
        ? equalsScalar(operator, left.run, right.constant)
        : compareGeneric(operator, left.run, right.run);
  return foldedCode([left, right], run);
}

function isScalar(value: Value | undefined): value is null | boolean | number | string {
  return value === null || (value !== undefined && typeof value !== 'object');
}

function equalsScalar(operator: '==' | '!=', left: Evaluate, right: Value): Evaluate {
  return operator === '=='
    ? (row, context) => left(row, context) === right
    : (row, context) => left(row, context) !== right;
}

function compareWithNumber(operator: OrderOperator, left: Evaluate, right: number): Evaluate {
  // Whatever is no number is before all numbers (null, bool) or after them.
  const after = (value: Value): boolean => typeof value === 'string' || isContainer(value);
  switch (operator) {
    case '==':
    case '!=':
      return equalsScalar(operator, left, right);
    case '<':
      return (row, context) => {
        const value = left(row, context);
        return typeof value === 'number' ? value < right : !after(value);
      };
    case '<=':
      return (row, context) => {
        const value = left(row, context);
        return typeof value === 'number' ? value <= right : !after(value);
      };
    case '>':
      return (row, context) => {
        const value = left(row, context);
        return typeof value === 'number' ? value > right : after(value);
      };
    case '>=':
      return (row, context) => {
        const value = left(row, context);
        return typeof value === 'number' ? value >= right : after(value);
      };
  }
}

function isContainer(value: Value): boolean {
  return typeof value === 'object' && value !== null;
}

function compareGeneric(operator: OrderOperator, left: Evaluate, right: Evaluate): Evaluate {
  switch (operator) {
    case '==':
      return (row, context) => equalValues(left(row, context), right(row, context));
    case '!=':
      return (row, context) => !equalValues(left(row, context), right(row, context));
    case '<':
      return (row, context) => compareValues(left(row, context), right(row, context)) < 0;
    case '<=':
      return (row, context) => compareValues(left(row, context), right(row, context)) <= 0;
    case '>':
      return (row, context) => compareValues(left(row, context), right(row, context)) > 0;
    case '>=':
      return (row, context) => compareValues(left(row, context), right(row, context)) >= 0;
  }
}

/** IN and NOT IN: both are false when the right operand is no array, as in ArangoDB. */
export function compileMembership(negated: boolean, left: Code, right: Code): Code {
  const source = left.run;
  const list = right.run;
  if (isArray(right.constant)) {
    const has = membershipTest(right.constant);
    return foldedCode([left, right], (row, context) => has(source(row, context)) !== negated);
  }
  return foldedCode([left, right], (row, context) => {
    const value = source(row, context);
    const values = list(row, context);
    return isArray(values) && includesValue(values, value) !== negated;
  });
}

/** A test against a fixed list: scalars by hash, arrays and objects one by one. */
export function membershipTest(list: readonly Value[]): (value: Value) => boolean {
  const scalars = new Set<Value>(list.filter((item) => !isContainer(item)));
  const containers = list.filter(isContainer);
  return (value) =>
    isContainer(value) ? containers.some((item) => equalValues(item, value)) : scalars.has(value);
}

export function includesValue(list: readonly Value[], value: Value): boolean {
  return isContainer(value) ? indexOfValue(list, value) >= 0 : list.includes(value);
}

/** The position of the first element that equals `value`, or -1. */
export function indexOfValue(list: readonly Value[], value: Value): number {
  if (!isContainer(value)) return list.indexOf(value);
  return list.findIndex((item) => equalValues(item, value));
}

/** One comparison of two values, for the quantified operators. */
export function comparisonTest(
  operator: ComparisonOperator,
): (left: Value, right: Value) => boolean {
  switch (operator) {
    case '==':
      return equalValues;
    case '!=':
      return (left, right) => !equalValues(left, right);
    case '<':
      return (left, right) => compareValues(left, right) < 0;
    case '<=':
      return (left, right) => compareValues(left, right) <= 0;
    case '>':
      return (left, right) => compareValues(left, right) > 0;
    case '>=':
      return (left, right) => compareValues(left, right) >= 0;
    case 'IN':
      return (left, right) => isArray(right) && includesValue(right, left);
    case 'NOT IN':
      return (left, right) => isArray(right) && !includesValue(right, left);
  }
}
