import type { BinaryOperator } from './ast.ts';

/**
 * Binding powers, in the order of ArangoDB's grammar: a higher one binds tighter. All binary
 * operators group to the left, the ternary to the right. Parser and printer share the table.
 */
export const power = {
  none: 0,
  ternary: 1,
  or: 2,
  and: 3,
  quantifier: 4,
  equality: 5,
  membership: 6,
  relation: 7,
  range: 8,
  sum: 9,
  product: 10,
  unary: 11,
} as const;

/**
 * `left`: what an operator must exceed to be taken by the operand before it. `right`: what the
 * operators in its right operand must exceed. They differ for `NOT LIKE` only, where ArangoDB's
 * grammar decides on NOT when shifting and on LIKE when reducing.
 */
export interface BindingPower {
  readonly left: number;
  readonly right: number;
}

const same = (value: number): BindingPower => ({ left: value, right: value });

export const binaryPower: Readonly<Record<BinaryOperator, BindingPower>> = {
  '||': same(power.or),
  '&&': same(power.and),
  '==': same(power.equality),
  '!=': same(power.equality),
  LIKE: same(power.equality),
  'NOT LIKE': { left: power.membership, right: power.equality },
  '=~': same(power.equality),
  '!~': same(power.equality),
  IN: same(power.membership),
  'NOT IN': same(power.membership),
  '<': same(power.relation),
  '<=': same(power.relation),
  '>': same(power.relation),
  '>=': same(power.relation),
  '+': same(power.sum),
  '-': same(power.sum),
  '*': same(power.product),
  '/': same(power.product),
  '%': same(power.product),
};
