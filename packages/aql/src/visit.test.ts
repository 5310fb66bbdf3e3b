import { expect, test } from 'vitest';
import { children, parse, parseExpression, visit, type Node } from './index.ts';

test('children come in the order of the text, absent ones left out', () => {
  const [clause] = parse(
    'FOR v, e IN 1..2 OUTBOUND s g TYPE "t" PRUNE x OPTIONS {} RETURN 1',
  ).clauses;
  expect(children(clause!).map((node) => node.type)).toEqual([
    'Variable',
    'Variable',
    'Range',
    'Reference',
    'EdgeCollections',
    'String',
    'Prune',
    'Object',
  ]);
  expect(children(parseExpression('a ?: b')).map((node) => node.type)).toEqual([
    'Reference',
    'Reference',
  ]);
  expect(children(parseExpression('1'))).toEqual([]);
});

test('a direction of SORT is a child only when it is a bind parameter', () => {
  const [sort] = parse('SORT a DESC, b @dir RETURN 1').clauses;
  expect(children(sort!).map((key) => children(key).length)).toEqual([1, 2]);
});

test('a walk enters before and leaves after the children, and can skip', () => {
  const seen: string[] = [];
  visit(parseExpression('f(a.b, (RETURN c), d)'), {
    enter(node, parent) {
      seen.push(`+${node.type}<${parent?.type ?? ''}`);
      return node.type === 'Subquery' ? 'skip' : undefined;
    },
    leave(node: Node) {
      seen.push(`-${node.type}`);
    },
  });
  expect(seen).toEqual([
    '+FunctionCall<',
    '+Member<FunctionCall',
    '+Reference<Member',
    '-Reference',
    '-Member',
    '+Subquery<FunctionCall',
    '-Subquery',
    '+Reference<FunctionCall',
    '-Reference',
    '-FunctionCall',
  ]);
});
