import type { Value } from '@themisdb/base';
import type { EvaluationContext } from '../expression/contract.ts';

/**
 * One AQL function: the name is upper case, arguments arrive evaluated. Wrong argument types follow
 * AQL: a warning through `context.warn` and null, unless the manual says otherwise; only wrong
 * argument counts are errors, raised when the query is compiled.
 */
export interface AqlFunction {
  readonly name: string;
  readonly argumentsMin: number;
  /** Infinity for variadic ones. */
  readonly argumentsMax: number;
  /** Same arguments, same result: may be folded at compile time. False for RAND(), and the like. */
  readonly deterministic: boolean;
  /** One line for completion, hover and the reference page: "UPPER(value) → string: …". */
  readonly signature: string;
  readonly summary: string;
  call(values: readonly Value[], context: EvaluationContext): Value;
}
