import type { Value } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { FunctionCall } from '@themisdb/aql';
import { functionTable, knownButAbsent, nearestFunction } from '../functions/index.ts';
import type { AqlFunction } from '../functions/contract.ts';
import { dynamicCode, foldedCode, type Code, type Compiler } from './code.ts';
import type { Evaluate } from './contract.ts';

/** A call of a function of the table; unknown names and wrong argument counts are errors here. */
export function compileCall(node: FunctionCall, compiler: Compiler): Code {
  const callee = mustFindFunction(node);
  const operands = node.arguments.map((argument) => compiler.compile(argument));
  const run = invocation(
    callee,
    operands.map((operand) => operand.run),
  );
  return callee.deterministic ? foldedCode(operands, run) : dynamicCode(run);
}

/** The function a call means, or AQL_UNKNOWN_FUNCTION, NOT_IMPLEMENTED, AQL_FUNCTION_ARGUMENTS. */
export function mustFindFunction(node: FunctionCall): AqlFunction {
  const callee = functionTable.get(node.name);
  if (callee === undefined) throw noSuchFunction(node);
  const count = node.arguments.length;
  if (count < callee.argumentsMin || count > callee.argumentsMax) {
    throw themisError('AQL_FUNCTION_ARGUMENTS', {
      message: `${node.name}() takes ${argumentRange(callee)}, ${String(count)} given.`,
      details: {
        function: node.name,
        given: count,
        min: callee.argumentsMin,
        ...(callee.argumentsMax === Infinity ? {} : { max: callee.argumentsMax }),
        span: node.span,
      },
    });
  }
  return callee;
}

function argumentRange(callee: AqlFunction): string {
  const { argumentsMin: min, argumentsMax: max } = callee;
  if (max === Infinity) return `at least ${plural(min)}`;
  return min === max ? plural(min) : `${String(min)} to ${plural(max)}`;
}

function plural(count: number): string {
  return count === 1 ? '1 argument' : `${String(count)} arguments`;
}

function noSuchFunction(node: FunctionCall): Error {
  const details = { function: node.name, span: node.span };
  if (knownButAbsent.has(node.name)) {
    return themisError('NOT_IMPLEMENTED', {
      message: `The function ${node.name}() is not supported by this version.`,
      details,
    });
  }
  const nearest = nearestFunction(node.name);
  return themisError('AQL_UNKNOWN_FUNCTION', {
    message: `There is no function ${node.name}().${nearest === undefined ? '' : ` Did you mean ${nearest}()?`}`,
    details: nearest === undefined ? details : { ...details, suggestion: nearest },
  });
}

function invocation(callee: AqlFunction, operands: readonly Evaluate[]): Evaluate {
  const [first, second] = operands;
  if (first === undefined) return (_row, context) => callee.call([], context);
  if (second === undefined) return (row, context) => callee.call([first(row, context)], context);
  if (operands.length === 2) {
    return (row, context) => callee.call([first(row, context), second(row, context)], context);
  }
  return (row, context) => {
    const values: Value[] = [];
    for (const operand of operands) values.push(operand(row, context));
    return callee.call(values, context);
  };
}
