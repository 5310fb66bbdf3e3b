import type { Value } from '@themisdb/base';
import type { CompileScope, Row } from '../expression/contract.ts';

/**
 * Which register holds which variable, for a query and all its subqueries. A register belongs to one
 * variable for good: rows are short and copying them is cheap.
 */
export class Layout implements CompileScope {
  readonly #variables = new Map<string, number>();
  readonly #projections = new Map<string, number>();
  #width = 0;

  get width(): number {
    return this.#width;
  }

  allocate(): number {
    return this.#width++;
  }

  declare(variable: string): number {
    const known = this.#variables.get(variable);
    if (known !== undefined) return known;
    const register = this.allocate();
    this.#variables.set(variable, register);
    return register;
  }

  declareProjection(variable: string, steps: readonly string[]): number {
    const register = this.allocate();
    this.#projections.set(projectionKey(variable, steps), register);
    return register;
  }

  register(variable: string): number | undefined {
    return this.#variables.get(variable);
  }

  projection(variable: string, steps: readonly string[]): number | undefined {
    if (this.#projections.size === 0) return undefined;
    return this.#projections.get(projectionKey(variable, steps));
  }

  hoisted(): undefined {
    return undefined;
  }

  bind(): Value | undefined {
    return undefined;
  }

  /** A row of nulls, as wide as all registers allocated so far. */
  emptyRow(): Row {
    return Array.from({ length: this.#width }, () => null);
  }
}

function projectionKey(variable: string, steps: readonly string[]): string {
  return steps.length === 1
    ? `${variable}\u0000${steps[0]!}`
    : `${variable}\u0000${steps.join('\u0000')}`;
}
