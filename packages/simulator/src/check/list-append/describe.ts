import { anomalies, type Anomaly, type AnomalyName } from './anomaly.ts';
import { describeTransaction, type Transaction } from './transaction.ts';

/** A heading, the transactions as T1, T2 and so on, and the facts. */
export function makeAnomaly(
  name: AnomalyName,
  transactions: readonly Transaction[],
  facts: readonly string[],
): Anomaly {
  const lines = transactions.map(
    (transaction, at) => `  T${at + 1}: ${describeTransaction(transaction)}`,
  );
  const text = [`${name} (${anomalies[name]})`, ...lines, ...facts.map((fact) => `  ${fact}`)].join(
    '\n',
  );
  return { name, transactions, text };
}
