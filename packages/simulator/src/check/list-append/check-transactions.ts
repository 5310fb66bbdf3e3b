import { counted } from '../history.ts';
import { isAllowed, type Anomaly, type AnomalyName, type IsolationLevel } from './anomaly.ts';
import { Appends, committedTransactions } from './committed.ts';
import { findCycles } from './cycles.ts';
import { makeAnomaly } from './describe.ts';
import { realTimeEdges, versionEdges, type Edge, type NumberOf } from './edges.ts';
import { externalReads, type ExternalRead } from './external-reads.ts';
import type { Transaction } from './transaction.ts';
import { findLostUpdates, inferVersions } from './versions.ts';

/**
 * - `valid`: nothing that the level forbids was found; `allowed` names what was seen and is allowed.
 * - `violation`: `anomalies` are not allowed at the level, the worst first.
 */
export type TransactionVerdict =
  | { readonly type: 'valid'; readonly allowed: readonly AnomalyName[]; readonly text: string }
  | { readonly type: 'violation'; readonly anomalies: readonly Anomaly[]; readonly text: string };

/** Anomalies of one kind that are told in full. */
const TOLD_MAX = 3;

/**
 * Whether a history of transactions over lists is one that the isolation level allows (Elle). Every
 * anomaly reported is one, whatever was not recorded. Serializability, strict or not, is decided
 * exactly on complete histories with unique values: without an anomaly there is a serial order that
 * explains all reads of committed transactions.
 */
export function checkTransactions(
  transactions: readonly Transaction[],
  level: IsolationLevel,
): TransactionVerdict {
  const all = findAnomalies(transactions, level === 'strict-serializable');
  const forbidden = all.filter(({ name }) => !isAllowed(name, level));
  const size = counted(transactions.length, 'transaction');
  if (forbidden.length > 0) {
    const text = `not ${level}: ${size}\n${tell(forbidden)}`;
    return { type: 'violation', anomalies: forbidden, text };
  }
  const allowed = [...new Set(all.map(({ name }) => name))];
  const note = allowed.length > 0 ? `, with ${allowed.join(', ')}, which it allows` : '';
  return { type: 'valid', allowed, text: `${level}: ${size}${note}` };
}

function findAnomalies(transactions: readonly Transaction[], isStrict: boolean): Anomaly[] {
  const appends = new Appends(transactions);
  if (appends.duplicates.length > 0) {
    return appends.duplicates.map(({ transaction, key, value }) => {
      const other = appends.find(key, value)!.transaction;
      const fact = `both appended ${JSON.stringify(value)} to ${key}`;
      return makeAnomaly('duplicate-append', [other, transaction], [fact]);
    });
  }
  const committed = committedTransactions(transactions, appends);
  const numbers = new Map(committed.map((transaction, number) => [transaction, number]));
  const numberOf: NumberOf = (transaction) => numbers.get(transaction)!;
  const found: Anomaly[] = [];
  const report = (anomaly: Anomaly): void => void found.push(anomaly);
  const edges: Edge[] = [];
  const lost: Anomaly[] = [];
  const readsByKey = groupByKey(committed.flatMap((item) => externalReads(item, report)));
  for (const key of new Set([...appends.keys(), ...readsByKey.keys()])) {
    const reads = readsByKey.get(key) ?? [];
    const isCommitted = (transaction: Transaction): boolean => numbers.has(transaction);
    const versions = inferVersions(key, reads, appends, isCommitted, report);
    lost.push(...findLostUpdates(versions, appends));
    for (const edge of versionEdges(versions, numberOf)) edges.push(edge);
  }
  if (isStrict) for (const edge of realTimeEdges(committed)) edges.push(edge);
  const known = lost.map((anomaly) => anomaly.transactions.slice(0, 2).map(numberOf));
  return [...found, ...lost, ...findCycles(committed, edges, known)];
}

function groupByKey(reads: readonly ExternalRead[]): Map<string, ExternalRead[]> {
  const groups = new Map<string, ExternalRead[]>();
  for (const read of reads) {
    const group = groups.get(read.key);
    if (group === undefined) groups.set(read.key, [read]);
    else group.push(read);
  }
  return groups;
}

/** Some of each kind in full, the others counted. */
function tell(found: readonly Anomaly[]): string {
  const told = new Map<AnomalyName, number>();
  const lines = found.flatMap(({ name, text }) => {
    const count = (told.get(name) ?? 0) + 1;
    told.set(name, count);
    return count <= TOLD_MAX ? [text] : [];
  });
  const more = [...told]
    .filter(([, count]) => count > TOLD_MAX)
    .map(([name, count]) => `and ${count - TOLD_MAX} more of ${name}`);
  return [...lines, ...more].join('\n');
}
