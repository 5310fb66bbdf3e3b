import { isPrefix, type ListValue, type Transaction } from './transaction.ts';

/** Who appended a value, and as which of its appends to that key. */
export interface Append {
  readonly transaction: Transaction;
  readonly key: string;
  readonly value: ListValue;
  /** Which step of the transaction it is. */
  readonly step: number;
  /** Whether the transaction appended to the key again later. */
  readonly isIntermediate: boolean;
}

/** All appends of a history, by key and value; and those values that were appended twice. */
export class Appends {
  readonly duplicates: Append[] = [];
  readonly #byKey = new Map<string, Map<ListValue, Append>>();

  constructor(transactions: readonly Transaction[]) {
    for (const transaction of transactions) this.#addAll(transaction);
  }

  find(key: string, value: ListValue): Append | undefined {
    return this.#byKey.get(key)?.get(value);
  }

  /** In no particular order. */
  *of(key: string): Iterable<Append> {
    yield* this.#byKey.get(key)?.values() ?? [];
  }

  keys(): Iterable<string> {
    return this.#byKey.keys();
  }

  #addAll(transaction: Transaction): void {
    const last = new Map<string, number>();
    transaction.steps.forEach(({ type, key }, at) => {
      if (type === 'append') last.set(key, at);
    });
    transaction.steps.forEach((step, at) => {
      if (step.type !== 'append') return;
      const { key, value } = step;
      const append = { transaction, key, value, step: at, isIntermediate: last.get(key)! > at };
      const ofKey = this.#byKey.get(key) ?? new Map<ListValue, Append>();
      this.#byKey.set(key, ofKey);
      if (ofKey.has(value)) this.duplicates.push(append);
      else ofKey.set(value, append);
    });
  }
}

/**
 * The transactions to take as committed: those that said so, and those of unknown outcome of which a
 * committed one saw an append; then those that these saw, and so on.
 */
export function committedTransactions(
  transactions: readonly Transaction[],
  appends: Appends,
): Transaction[] {
  const committed = new Set(transactions.filter(({ outcome }) => outcome === 'committed'));
  // Most lists begin as one seen before.
  const longest = new Map<string, readonly ListValue[]>();
  // A set that grows while it is walked: each added one is walked too.
  for (const { steps } of committed) {
    for (const step of steps) {
      if (step.type !== 'read' || step.values === undefined) continue;
      const { key } = step;
      const known = longest.get(key) ?? [];
      if (isPrefix(step.values, known)) continue;
      if (step.values.length > known.length) longest.set(key, step.values);
      for (const value of step.values) {
        const writer = appends.find(key, value)?.transaction;
        if (writer?.outcome === 'unknown') committed.add(writer);
      }
    }
  }
  return transactions.filter((transaction) => committed.has(transaction));
}
