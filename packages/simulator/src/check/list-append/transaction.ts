import { formatInterval, type Process, type Scalar } from '../history.ts';

/**
 * A transaction over lists: it appends values to lists and reads whole lists. Values are unique, so
 * that every value read names the transaction that wrote it, and every list read is the history of
 * its key: that makes isolation decidable in near linear time (Kingsbury and Alvaro, "Elle", VLDB
 * 2020). In a document database, a list is an array field of an entity, or entities ordered by a field.
 *
 * `call`, `returned` and `outcome` mean what they mean in `Operation`: `failed` is certainly rolled
 * back; `unknown` may have committed at any time after `call`, and counts as committed as soon as a
 * committed transaction saw any of its appends.
 */
export interface Transaction {
  readonly process: Process;
  readonly call: number;
  readonly returned: number;
  readonly outcome: 'committed' | 'failed' | 'unknown';
  /** In the order in which they were done. */
  readonly steps: readonly Step[];
}

export type Step = AppendStep | ReadStep;

export interface AppendStep {
  readonly type: 'append';
  readonly key: string;
  readonly value: ListValue;
}

export interface ReadStep {
  readonly type: 'read';
  readonly key: string;
  /** What it saw, the transaction's own appends included; undefined if the answer never came. */
  readonly values?: readonly ListValue[] | undefined;
}

export type ListValue = Exclude<Scalar, null | boolean>;

/** `p1 [3, 8] append x 1, read y [1 2]`. */
export function describeTransaction(transaction: Transaction): string {
  const { process, outcome, steps } = transaction;
  const head = `${process} ${formatInterval(transaction)} ${steps.map(describeStep).join(', ')}`;
  return outcome === 'committed' ? head : `${head} -> ${outcome}`;
}

function describeStep(step: Step): string {
  if (step.type === 'append') return `append ${step.key} ${JSON.stringify(step.value)}`;
  return `read ${step.key}${step.values === undefined ? '' : ` ${describeList(step.values)}`}`;
}

/** `[1 2 3]`; of a long list, the end. */
export function describeList(values: readonly ListValue[]): string {
  const shown = values.slice(-6).map((value) => JSON.stringify(value));
  return `[${[...(values.length > 6 ? ['...'] : []), ...shown].join(' ')}]`;
}

/** Whether `whole` begins with `part`. Reads are long: the inner loop of the checker. */
export function isPrefix(part: readonly ListValue[], whole: readonly ListValue[]): boolean {
  if (part.length > whole.length) return false;
  for (let at = 0; at < part.length; at++) if (part[at] !== whole[at]) return false;
  return true;
}
