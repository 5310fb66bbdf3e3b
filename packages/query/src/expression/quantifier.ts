import { isArray, type Value } from '@themisdb/base';
import type { ArrayComparison, Quantifier, Satisfies } from '@themisdb/aql';
import { dynamicCode, foldedCode, type Code, type Compiler } from './code.ts';
import { comparisonTest } from './compare.ts';
import type { EvaluationContext, Row } from './contract.ts';
import { toInteger, truthy } from './convert.ts';
import { rangeBounds } from './range.ts';

/** How many matches among the elements make a quantified condition true. */
export interface MatchCount {
  readonly min: number;
  readonly max: number;
}

type Quantified = (row: Row, context: EvaluationContext, length: number) => Matches;

/** Counts matches, and stops as soon as the answer is certain. */
export class Matches {
  readonly min: number;
  readonly max: number;

  constructor(count: MatchCount) {
    this.min = count.min;
    this.max = count.max;
  }

  decide(values: readonly Value[], test: (value: Value) => boolean): boolean {
    let matches = 0;
    for (let i = 0; i < values.length; i++) {
      if (test(values[i]!)) matches++;
      const left = values.length - i - 1;
      if (matches > this.max || matches + left < this.min) return false;
      if (matches >= this.min && matches + left <= this.max) return true;
    }
    return matches >= this.min && matches <= this.max;
  }
}

export function compileQuantifier(node: Quantifier | undefined, compiler: Compiler): Quantified {
  const any = new Matches({ min: 1, max: Infinity });
  if (node === undefined) return () => any;
  switch (node.kind) {
    case 'ANY':
      return () => any;
    case 'ALL':
      return (_row, _context, length) => new Matches({ min: length, max: length });
    case 'NONE': {
      const none = new Matches({ min: 0, max: 0 });
      return () => none;
    }
    case 'AT LEAST':
    case 'COUNT':
      return compileCount(node, compiler);
  }
}

function compileCount(node: Quantifier, compiler: Compiler): Quantified {
  const count = node.count!;
  if (count.type === 'Range') {
    const from = compiler.compile(count.from).run;
    const to = compiler.compile(count.to).run;
    return (row, context) => {
      const bounds = rangeBounds(from(row, context), to(row, context));
      return new Matches({ min: bounds.from, max: bounds.to });
    };
  }
  const run = compiler.compile(count).run;
  const exact = node.kind === 'COUNT';
  return (row, context) => {
    const min = Math.max(0, toInteger(run(row, context)));
    return new Matches({ min, max: exact ? min : Infinity });
  };
}

/** `left ALL|ANY|NONE|AT LEAST (n) operator right` ("Array comparison operators"). */
export function compileArrayComparison(node: ArrayComparison, compiler: Compiler): Code {
  const left = compiler.compile(node.left);
  const right = compiler.compile(node.right);
  const quantified = compileQuantifier(node.quantifier, compiler);
  const test = comparisonTest(node.operator);
  const { kind } = node.quantifier;
  const needsList = node.operator === 'IN' || node.operator === 'NOT IN';
  const run = (row: Row, context: EvaluationContext): boolean => {
    const values = left.run(row, context);
    const operand = right.run(row, context);
    if (!isArray(values) || (needsList && !isArray(operand))) return false;
    // ArangoDB: nothing holds for ALL of no elements here, unlike in logic.
    if (values.length === 0) return kind === 'NONE';
    return quantified(row, context, values.length).decide(values, (value) => test(value, operand));
  };
  const fixed = node.quantifier.count === undefined;
  return fixed ? foldedCode([left, right], run) : dynamicCode(run);
}

/** `ANY|ALL|NONE variable IN source SATISFIES condition`: what is no array has no elements. */
export function compileSatisfies(node: Satisfies, compiler: Compiler): Code {
  const source = compiler.compile(node.source).run;
  const register = compiler.scope.allocate();
  const condition = compiler.withVariable(node.variable.name, register).compile(node.condition).run;
  const { quantifier } = node;
  return dynamicCode((row, context) => {
    const value = source(row, context);
    const values = isArray(value) ? value : [];
    const all = quantifier === 'ALL';
    for (let i = 0; i < values.length; i++) {
      if ((i & 0xff) === 0xff) context.checkInterrupt();
      row[register] = values[i]!;
      if (truthy(condition(row, context)) !== all) return quantifier === 'ANY';
    }
    return quantifier !== 'ANY';
  });
}
