import { Prng, type Value } from '@themisdb/base';
import { parseExpression, type Expression } from '@themisdb/aql';
import { compileExpression } from './compile.ts';
import type { CompileScope, EvaluationContext, Row } from './contract.ts';
import { toEngineValue } from './engine-value.ts';
import { mapOperands } from './map-node.ts';

// For the tests of this package: evaluates the text of an expression.

export interface Evaluated {
  readonly value: Value;
  /** Codes of the warnings raised. */
  readonly warnings: readonly string[];
}

export interface Surroundings {
  readonly variables?: Readonly<Record<string, Value>>;
  readonly binds?: Readonly<Record<string, Value>>;
}

export const testNowMs = 1_700_000_000_000;

/** Compiled as it stands: what is constant is evaluated while compiling. */
export function evaluate(text: string, around: Surroundings = {}): Evaluated {
  return run(parseExpression(text), around);
}

/** Compiled with every literal in a variable: nothing is known before the run. */
export function evaluateLate(text: string, around: Surroundings = {}): Evaluated {
  const variables: Record<string, Value> = { ...around.variables };
  const node = literalsToVariables(parseExpression(text), variables);
  return run(node, { ...around, variables });
}

function literalsToVariables(node: Expression, variables: Record<string, Value>): Expression {
  const isLiteral =
    node.type === 'Null' ||
    node.type === 'Boolean' ||
    node.type === 'Number' ||
    node.type === 'String';
  if (!isLiteral) return mapOperands(node, (operand) => literalsToVariables(operand, variables));
  const name = `literal${String(Object.keys(variables).length)}`;
  variables[name] = node.type === 'Null' ? null : node.value;
  return { type: 'Reference', span: node.span, name };
}

function run(node: Expression, around: Surroundings): Evaluated {
  const row: Row = Object.values(around.variables ?? {}).map(toEngineValue);
  const warnings: string[] = [];
  const evaluator = compileExpression(node, testScope(around));
  return { value: evaluator(row, testContext(warnings)), warnings };
}

export function testScope(around: Surroundings = {}): CompileScope {
  const names = Object.keys(around.variables ?? {});
  let registers = names.length;
  return {
    register: (name) => (names.includes(name) ? names.indexOf(name) : undefined),
    projection: () => undefined,
    hoisted: () => undefined,
    allocate: () => registers++,
    bind: (name) => around.binds?.[name],
  };
}

export function testContext(warnings: string[] = []): EvaluationContext {
  const prng = new Prng(1);
  return {
    nowMs: testNowMs,
    namespace: 'testing',
    random: () => prng.float(),
    randomBytes: (length) => prng.bytes(length),
    warn: (code) => warnings.push(code),
    charge: () => undefined,
    checkInterrupt: () => undefined,
  };
}

/** A table of expressions, their values, and the warning each raises, if any. */
export type Cases = readonly [text: string, value: Value, warning?: string][];

/** The outcomes of both ways to compile, which must not differ. */
export function bothWays(
  text: string,
  around: Surroundings = {},
): { readonly folded: Evaluated; readonly late: Evaluated } {
  return { folded: evaluate(text, around), late: evaluateLate(text, around) };
}

/** What `bothWays` should give. */
export function both(value: Value, warning?: string): { folded: Evaluated; late: Evaluated } {
  const outcome = { value, warnings: warning === undefined ? [] : [warning] };
  return { folded: outcome, late: outcome };
}
