import { expect, test } from 'vitest';
import type { Binary, Expression, NumberLiteral } from '@themisdb/aql';
import { compileExpression } from './compile.ts';
import type { CompileScope, EvaluationContext } from './contract.ts';

const span = { start: 0, end: 0 };
const number = (value: number): NumberLiteral => ({ type: 'Number', span, value });

const scope: CompileScope = {
  register: (name) => (name === 'doc' ? 0 : undefined),
  projection: () => undefined,
  hoisted: () => undefined,
  allocate: () => 1,
  bind: () => undefined,
};

const context = { warn: () => undefined } as unknown as EvaluationContext;

test('reads a path of attributes and adds a number', () => {
  const path: Expression = {
    type: 'Member',
    span,
    object: { type: 'Member', span, object: { type: 'Reference', span, name: 'doc' }, name: 'a' },
    name: 'b',
  };
  const sum: Binary = { type: 'Binary', span, operator: '+', left: path, right: number(1) };
  const run = compileExpression(sum, scope);
  expect(run([{ a: { b: 41 } }], context)).toBe(42);
  expect(run([{ a: 'no object' }], context)).toBe(1);
});
