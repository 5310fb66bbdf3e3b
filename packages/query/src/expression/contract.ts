import type { Value } from '@themisdb/base';
import type { ErrorCode } from '@themisdb/protocol';
import type { Expression } from '@themisdb/aql';

/**
 * Expressions compile once to closures over a row of registers; evaluation is synchronous and pure
 * but for warnings and random numbers, which come from the context. Whatever must wait (subqueries,
 * document look-ups) is hoisted by the planner into operators that fill a register beforehand.
 */
export type Row = Value[];

export type Evaluate = (row: Row, context: EvaluationContext) => Value;

/** What one run of a query offers to its expressions. */
export interface EvaluationContext {
  /** Fixed at the start of the query: DATE_NOW() is stable within one query. Milliseconds. */
  readonly nowMs: number;
  /** Uniform in [0, 1). */
  random(): number;
  randomBytes(length: number): Uint8Array;
  /** Records a warning (and throws AQL_WARNING when the query asked for failOnWarning). */
  warn(code: ErrorCode, message: string): void;
  /** Charges transient memory, in bytes; throws QUERY_MEMORY past the limit. */
  charge(bytes: number): void;
  /** Called in loops whose length the query decides (ranges, REPEAT, inline filters); may throw. */
  checkInterrupt(): void;
  readonly namespace: string;
}

/** Where the names in an expression lead. */
export interface CompileScope {
  /** The register of a variable, or undefined when there is no such variable. */
  register(variable: string): number | undefined;
  /**
   * The register that already holds `variable.steps…`, when a scan was told to project it. Asked
   * with the longest path first.
   */
  projection(variable: string, steps: readonly string[]): number | undefined;
  /** The register the planner filled for a hoisted node (subquery, DOCUMENT() …). */
  hoisted(node: Expression): number | undefined;
  /** A fresh register, for CURRENT in inline expressions and quantifier variables. */
  allocate(): number;
  /** The value of a bind parameter (without @). */
  bind(name: string): Value | undefined;
}
