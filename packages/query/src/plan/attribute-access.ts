import type { Expression } from '@themisdb/aql';
import { mapOperands } from '../expression/map-node.ts';

/** `variable.a.b` as variable and steps. */
export interface AttributeAccess {
  readonly variable: string;
  readonly steps: readonly string[];
}

/** The access an expression is, if it is nothing else. A bare variable has no steps. */
export function asAccess(node: Expression): AttributeAccess | undefined {
  const steps: string[] = [];
  let current = node;
  while (current.type === 'Member') {
    steps.unshift(current.name);
    current = current.object;
  }
  return current.type === 'Reference' ? { variable: current.name, steps } : undefined;
}

/** Calls `visit` with every access in an expression, the longest form of each. */
export function eachAccess(node: Expression, visit: (access: AttributeAccess) => void): void {
  const step = (part: Expression): Expression => {
    const access = asAccess(part);
    if (access === undefined) return mapOperands(part, step);
    visit(access);
    return part;
  };
  step(node);
}
