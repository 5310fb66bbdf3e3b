import type { Anomaly } from './anomaly.ts';
import { makeAnomaly } from './describe.ts';
import {
  describeList,
  isPrefix,
  type ListValue,
  type ReadStep,
  type Transaction,
} from './transaction.ts';

/** What a transaction saw of others: a list as it was read, without the transaction's own appends. */
export interface ExternalRead {
  readonly transaction: Transaction;
  readonly key: string;
  readonly values: readonly ListValue[];
}

/** What a transaction knows of a key. */
interface Known {
  external: readonly ListValue[] | undefined;
  readonly own: ListValue[];
}

/**
 * The external read of each key, and what contradicts itself within the transaction: each read must
 * see what the one before saw and what was appended since, and nothing appended later.
 */
export function externalReads(
  transaction: Transaction,
  report: (anomaly: Anomaly) => void,
): ExternalRead[] {
  const keys = new Map<string, Known>();
  for (const step of transaction.steps) {
    const known = keys.get(step.key) ?? { external: undefined, own: [] };
    keys.set(step.key, known);
    if (step.type === 'append') known.own.push(step.value);
    else if (step.values !== undefined) {
      const why = learn(transaction, step, step.values, known);
      if (why !== undefined) report(makeAnomaly('internal', [transaction], [why]));
    }
  }
  return [...keys].flatMap(([key, { external }]) =>
    external === undefined ? [] : [{ transaction, key, values: external }],
  );
}

/** What is wrong with the read, or undefined. */
function learn(
  transaction: Transaction,
  { key }: ReadStep,
  values: readonly ListValue[],
  known: Known,
): string | undefined {
  const { own } = known;
  const saw = `it read ${key} ${describeList(values)}`;
  if (known.external !== undefined) {
    const expected = [...known.external, ...own];
    return isSame(values, expected)
      ? undefined
      : `${saw} where ${describeList(expected)} follows from its earlier steps`;
  }
  const external =
    own.length === 0 ? values : values.slice(0, Math.max(0, values.length - own.length));
  if (!isSame(values.slice(external.length), own)) {
    return `${saw}, which does not end in its own appends ${describeList(own)}`;
  }
  const ahead = appendsOf(transaction, key).find((value) => external.includes(value));
  if (ahead !== undefined) {
    return `${saw}, with its own append of ${JSON.stringify(ahead)} out of place`;
  }
  known.external = external;
  return undefined;
}

function appendsOf({ steps }: Transaction, key: string): ListValue[] {
  return steps.flatMap((step) => (step.type === 'append' && step.key === key ? [step.value] : []));
}

function isSame(a: readonly ListValue[], b: readonly ListValue[]): boolean {
  return a.length === b.length && isPrefix(a, b);
}
