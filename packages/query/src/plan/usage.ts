import type { Expression } from '@themisdb/aql';
import { eachAccess } from './attribute-access.ts';
import type { PlanNode } from './node.ts';
import { expressionsOf, nestedOf } from './variables.ts';

/** The attributes of one variable that some nodes use. */
export class Usage {
  readonly #variable: string;
  /** The variable itself is used, not only attributes of it. */
  whole = false;
  readonly paths: (readonly string[])[] = [];

  constructor(variable: string) {
    this.#variable = variable;
  }

  static of(variable: string, nodes: readonly PlanNode[]): Usage {
    const usage = new Usage(variable);
    for (const node of nodes) usage.addNode(node);
    return usage;
  }

  addNode(node: PlanNode): void {
    for (const expression of expressionsOf(node)) this.add(expression);
    for (const pipeline of nestedOf(node)) pipeline.forEach((inner) => this.addNode(inner));
  }

  add(expression: Expression): void {
    eachAccess(expression, ({ variable, steps }) => {
      if (variable !== this.#variable) return;
      if (steps.length === 0) this.whole = true;
      else this.paths.push(steps);
    });
  }
}

/** Without doubles, and without paths that go on where another one ends. */
export function shortestPaths(paths: readonly (readonly string[])[]): (readonly string[])[] {
  const sorted = [...paths].sort((a, b) => a.length - b.length);
  const out: (readonly string[])[] = [];
  for (const path of sorted) if (!hasPrefix(out, path)) out.push(path);
  return out;
}

export function hasPrefix(paths: readonly (readonly string[])[], path: readonly string[]): boolean {
  return paths.some(
    (other) => other.length <= path.length && other.every((step, i) => step === path[i]),
  );
}
