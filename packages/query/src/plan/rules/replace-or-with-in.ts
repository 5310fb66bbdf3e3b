import { printExpression, type Binary, type Expression } from '@themisdb/aql';
import { isConstant } from '../../expression/index.ts';
import { asAccess } from '../attribute-access.ts';
import type { Rule } from '../rule.ts';

/** `x == 1 || x == 2` and `x == 1 || x IN [2, 3]` become one IN, which an index can serve. */
export const replaceOrWithIn: Rule = {
  name: 'replace-or-with-in',
  apply(pipeline) {
    let changed = false;
    const out = pipeline.map((node) => {
      if (node.type !== 'filter') return node;
      const condition = merged(node.condition);
      if (condition === undefined) return node;
      changed = true;
      return { ...node, condition };
    });
    return changed ? out : pipeline;
  },
};

function merged(condition: Expression): Expression | undefined {
  const parts = disjuncts(condition);
  if (parts.length < 2) return undefined;
  const choices = parts.map(choiceOf);
  const [first] = choices;
  if (first === undefined) return undefined;
  const subject = printExpression(first.subject);
  const elements: Expression[] = [];
  for (const choice of choices) {
    if (choice === undefined || printExpression(choice.subject) !== subject) return undefined;
    elements.push(...choice.values);
  }
  const { span } = condition;
  return {
    type: 'Binary',
    span,
    operator: 'IN',
    left: first.subject,
    right: { type: 'Array', span, elements },
  };
}

export function disjuncts(condition: Expression): Expression[] {
  if (condition.type !== 'Binary' || condition.operator !== '||') return [condition];
  return [...disjuncts(condition.left), ...disjuncts(condition.right)];
}

interface Choice {
  readonly subject: Expression;
  readonly values: readonly Expression[];
}

function choiceOf(condition: Expression): Choice | undefined {
  if (condition.type !== 'Binary') return undefined;
  if (condition.operator === '==') return equality(condition);
  const { operator, left, right } = condition;
  const isList = operator === 'IN' && isSubject(left) && right.type === 'Array';
  return isList ? { subject: left, values: right.elements } : undefined;
}

function equality({ left, right }: Binary): Choice | undefined {
  if (isSubject(left) && isChoice(right)) return { subject: left, values: [right] };
  if (isSubject(right) && isChoice(left)) return { subject: right, values: [left] };
  return undefined;
}

function isSubject(node: Expression): boolean {
  const access = asAccess(node);
  return access !== undefined && access.steps.length > 0;
}

/** A constant or a parameter. */
function isChoice(node: Expression): boolean {
  return isConstant(node) || (node.type === 'Reference' && node.name.startsWith('@'));
}
