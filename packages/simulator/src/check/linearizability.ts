import { explainViolation } from './explain-linearizability.ts';
import { counted, type Operation } from './history.ts';
import type { Model } from './model.ts';
import { searchLinearization } from './search.ts';

/**
 * - `linearizable`: there is an order that explains everything that was seen.
 * - `violation`: there is none. `operations` are few of one key that no order explains, `text` says so
 *   in words. Found before `unknown` where a history has both.
 * - `unknown`: the work allowed was used up on `key`. No verdict: never take it for a good one.
 */
export type LinearizabilityVerdict<Input, Output> =
  | { readonly type: 'linearizable'; readonly text: string }
  | {
      readonly type: 'violation';
      readonly key: string;
      readonly operations: readonly Operation<Input, Output>[];
      readonly text: string;
    }
  | { readonly type: 'unknown'; readonly key: string; readonly text: string };

export interface LinearizabilityOptions {
  /** Work allowed for each key, in model steps; about a second or two for the default. */
  readonly stepsMax?: number;
}

export const STEPS_MAX_DEFAULT = 2_000_000;

/**
 * Whether a history is linearizable (Herlihy and Wing, 1990). Linearizability is local: a history is
 * linearizable if its part for each object is, so each key is searched apart.
 */
export function checkLinearizability<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  { stepsMax = STEPS_MAX_DEFAULT }: LinearizabilityOptions = {},
): LinearizabilityVerdict<Input, Output> {
  const keys = splitByKey(operations);
  let gaveUp: string | undefined;
  for (const [key, all] of keys) {
    const some = model.relevant?.(all) ?? all;
    const result = searchLinearization(model, some, stepsMax);
    if (result.type === 'none') {
      return { type: 'violation', key, ...explainViolation(model, some, result.stuck) };
    }
    if (result.type === 'gave-up') gaveUp ??= key;
  }
  if (gaveUp !== undefined) {
    const text = `no verdict: key ${gaveUp} needs more than ${stepsMax} steps`;
    return { type: 'unknown', key: gaveUp, text };
  }
  return {
    type: 'linearizable',
    text: `linearizable: ${counted(operations.length, 'operation')} on ${counted(keys.size, 'key')}`,
  };
}

function splitByKey<Input, Output>(
  operations: readonly Operation<Input, Output>[],
): Map<string, Operation<Input, Output>[]> {
  const keys = new Map<string, Operation<Input, Output>[]>();
  for (const operation of operations) {
    const list = keys.get(operation.key);
    if (list === undefined) keys.set(operation.key, [operation]);
    else list.push(operation);
  }
  return keys;
}
