import { isThemisError } from '@themisdb/base';
import type { Value } from '@themisdb/base';
import type { Expression } from '@themisdb/aql';
import type { CompileScope, Evaluate, EvaluationContext } from './contract.ts';

/** A compiled expression, and its value where that is known already. */
export interface Code {
  readonly run: Evaluate;
  /** `undefined` when the value depends on the row or on the run. */
  readonly constant: Value | undefined;
}

/** What the compilers of the single node types share. */
export interface Compiler {
  readonly scope: CompileScope;
  compile(node: Expression): Code;
  /** A compiler in which `variable` lives in `register` (CURRENT, quantifier variables). */
  withVariable(variable: string, register: number): Compiler;
  /** The register of the current element of the innermost `[*]`. */
  readonly itemRegister: number | undefined;
  withItem(register: number): Compiler;
}

export function constantCode(value: Value): Code {
  return { run: () => value, constant: value };
}

export function dynamicCode(run: Evaluate): Code {
  return { run, constant: undefined };
}

/**
 * A constant when all `operands` are, evaluated once here. Not when the evaluation warns, fails or
 * is costly: it may stand in a branch that is never taken, so that is left to the run.
 */
export function foldedCode(operands: readonly Code[], run: Evaluate): Code {
  if (operands.some((operand) => operand.constant === undefined)) return dynamicCode(run);
  const value = tryEvaluateConstant(run);
  return value === undefined ? dynamicCode(run) : constantCode(value);
}

/** The value of an expression without variables, or undefined when it cannot be had for certain. */
export function tryEvaluateConstant(run: Evaluate): Value | undefined {
  try {
    return run([], makeFoldingContext());
  } catch (error) {
    if (error instanceof NotFoldable || isThemisError(error)) return undefined;
    throw error;
  }
}

class NotFoldable extends Error {
  override readonly name = 'NotFoldable';
}

const foldedBytesMax = 65_536;
const foldedStepsMax = 1_000;

function makeFoldingContext(): EvaluationContext {
  let bytes = 0;
  let steps = 0;
  const refuse = (): never => {
    throw new NotFoldable();
  };
  return {
    nowMs: 0,
    namespace: '',
    random: refuse,
    randomBytes: refuse,
    warn: refuse,
    charge: (amount) => {
      bytes += amount;
      if (bytes > foldedBytesMax) refuse();
    },
    checkInterrupt: () => {
      steps++;
      if (steps > foldedStepsMax) refuse();
    },
  };
}
