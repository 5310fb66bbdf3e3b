import type { Value } from '@themisdb/base';
import type { Unary } from '@themisdb/aql';
import { foldedCode, type Code, type Compiler } from './code.ts';
import type { Evaluate, EvaluationContext } from './contract.ts';
import { toNumber, truthy } from './convert.ts';

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';

type Operation = (left: number, right: number) => number;

const operations: Readonly<Record<ArithmeticOperator, Operation>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '%': (left, right) => left % right,
};

/** Operands of any type are cast to numbers; what is no finite number becomes null ("Arithmetic operators"). */
export function compileArithmetic(operator: ArithmeticOperator, left: Code, right: Code): Code {
  const divides = operator === '/' || operator === '%';
  const run = divides
    ? division(operator, left.run, right.run)
    : calculation(operator, left.run, right.run);
  return foldedCode([left, right], run);
}

function calculation(operator: ArithmeticOperator, left: Evaluate, right: Evaluate): Evaluate {
  // One closure per operator, so that each call site sees one operation.
  switch (operator) {
    case '+':
      return (row, context) => {
        const a = left(row, context);
        const b = right(row, context);
        const sum =
          typeof a === 'number' && typeof b === 'number' ? a + b : toNumber(a) + toNumber(b);
        return Number.isFinite(sum) ? sum : outOfRange(operator, context);
      };
    case '-':
      return (row, context) => {
        const a = left(row, context);
        const b = right(row, context);
        const difference =
          typeof a === 'number' && typeof b === 'number' ? a - b : toNumber(a) - toNumber(b);
        return Number.isFinite(difference) ? difference : outOfRange(operator, context);
      };
    default:
      return (row, context) => {
        const product = toNumber(left(row, context)) * toNumber(right(row, context));
        return Number.isFinite(product) ? product + 0 : outOfRange(operator, context);
      };
  }
}

function division(operator: ArithmeticOperator, left: Evaluate, right: Evaluate): Evaluate {
  const operation = operations[operator];
  return (row, context) => {
    const dividend = toNumber(left(row, context));
    const divisor = toNumber(right(row, context));
    if (divisor === 0) {
      context.warn('AQL_DIVISION_BY_ZERO', `Division by zero in operator ${operator}.`);
      return null;
    }
    const result = operation(dividend, divisor);
    return Number.isFinite(result) ? result + 0 : outOfRange(operator, context);
  };
}

function outOfRange(operator: string, context: EvaluationContext): Value {
  context.warn('AQL_NUMBER_OUT_OF_RANGE', `The result of operator ${operator} is out of range.`);
  return null;
}

/** `!`, and unary `-` and `+`, which cast to a number. */
export function compileUnary(node: Unary, compiler: Compiler): Code {
  const operand = compiler.compile(node.operand);
  const run = operand.run;
  switch (node.operator) {
    case '!':
      return foldedCode([operand], (row, context) => !truthy(run(row, context)));
    case '-':
      return foldedCode([operand], (row, context) => 0 - toNumber(run(row, context)));
    case '+':
      return foldedCode([operand], (row, context) => toNumber(run(row, context)));
  }
}
