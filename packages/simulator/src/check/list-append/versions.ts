import type { Append, Appends } from './committed.ts';
import type { Anomaly } from './anomaly.ts';
import { makeAnomaly } from './describe.ts';
import type { ExternalRead } from './external-reads.ts';
import { describeList, isPrefix, type ListValue, type Transaction } from './transaction.ts';

/** The history of one key, as far as committed transactions show it. */
export interface Versions {
  readonly key: string;
  /** Committed appends in the order that the longest read shows. */
  readonly order: readonly Append[];
  /** Committed appends that no read shows: they come after all of `order`, who knows in which order. */
  readonly unobserved: readonly Append[];
  /** Reads that fit, with the number of appends in `order` that they show. */
  readonly reads: readonly { readonly read: ExternalRead; readonly position: number }[];
}

type Report = (anomaly: Anomaly) => void;

/** Infers the version order of a key from its external reads, and reports reads that spoil it. */
export function inferVersions(
  key: string,
  reads: readonly ExternalRead[],
  appends: Appends,
  isCommitted: (transaction: Transaction) => boolean,
  report: Report,
): Versions {
  const longest = reads.reduce<ExternalRead | undefined>(
    (best, read) => (read.values.length > (best?.values.length ?? -1) ? read : best),
    undefined,
  );
  const shown = new Set(longest?.values);
  const order = [...shown]
    .map((value) => appends.find(key, value))
    .filter((append) => append !== undefined && isCommitted(append.transaction)) as Append[];
  reportReversed(order, report);
  const unobserved = [...appends.of(key)].filter(
    ({ value, transaction }) => !shown.has(value) && isCommitted(transaction),
  );
  const positions = countPrefixes(longest?.values ?? [], new Set(order.map(({ value }) => value)));
  const soundLength = countSound(key, longest?.values ?? [], appends);
  const fitting = reads.flatMap((read) => {
    reportIntermediate(read, appends, report);
    const isFitting = isPrefix(read.values, longest!.values);
    if (!isFitting || read.values.length > soundLength) reportBadValues(read, appends, report);
    if (isFitting) return [{ read, position: positions[read.values.length]! }];
    const fact = `T1 read ${key} ${describeList(read.values)}, T2 read ${describeList(longest!.values)}`;
    report(makeAnomaly('incompatible-order', [read.transaction, longest!.transaction], [fact]));
    return [];
  });
  return { key, order, unobserved, reads: fitting };
}

/** For each length of a prefix, how many of its values are in `kept`; each counts once. */
function countPrefixes(values: readonly ListValue[], kept: ReadonlySet<ListValue>): number[] {
  const left = new Set(kept);
  const counts = [0];
  for (const value of values) counts.push(counts.at(-1)! + (left.delete(value) ? 1 : 0));
  return counts;
}

/** How many values a list begins with that may all be there: of most lists, all. */
function countSound(key: string, values: readonly ListValue[], appends: Appends): number {
  const seen = new Set<ListValue>();
  for (const [at, value] of values.entries()) {
    const outcome = appends.find(key, value)?.transaction.outcome ?? 'failed';
    if (outcome === 'failed' || seen.has(value)) return at;
    seen.add(value);
  }
  return values.length;
}

/** Values that should not be there, whatever the order. */
function reportBadValues(read: ExternalRead, appends: Appends, report: Report): void {
  const { transaction, key, values } = read;
  const saw = `T1 read ${key} ${describeList(values)}`;
  if (new Set(values).size < values.length) {
    report(makeAnomaly('duplicate-value', [transaction], [saw]));
  }
  for (const value of new Set(values)) {
    const append = appends.find(key, value);
    const which = JSON.stringify(value);
    if (append === undefined) {
      const fact = `${saw}, and nobody appended ${which}`;
      report(makeAnomaly('unwritten-read', [transaction], [fact]));
    } else if (append.transaction.outcome === 'failed') {
      const fact = `${saw}, and T2 appended ${which} and failed`;
      report(makeAnomaly('G1a', [transaction, append.transaction], [fact]));
    }
  }
}

function reportIntermediate(read: ExternalRead, appends: Appends, report: Report): void {
  const { transaction, key, values } = read;
  const last = values.length === 0 ? undefined : appends.find(key, values.at(-1)!);
  if (!last?.isIntermediate) return;
  const more = `T2 appended more to ${key} after ${JSON.stringify(last.value)}`;
  const fact = `T1 read ${key} ${describeList(values)}, and ${more}`;
  report(makeAnomaly('G1b', [transaction, last.transaction], [fact]));
}

/** Appends of one transaction to one list stand there in the order in which they were done. */
function reportReversed(order: readonly Append[], report: Report): void {
  for (const [at, append] of order.entries()) {
    const before = order[at - 1];
    if (before?.transaction !== append.transaction || before.step < append.step) continue;
    const values = describeList([before.value, append.value]);
    const fact = `${append.key} shows ${values}, which T1 appended the other way round`;
    report(makeAnomaly('incompatible-order', [append.transaction], [fact]));
  }
}

/** Committed transactions that appended to the version of a key that another appended to as well. */
export function findLostUpdates({ key, order, reads }: Versions, appends: Appends): Anomaly[] {
  const writers = new Set([...appends.of(key)].map(({ transaction }) => transaction));
  const byPosition = new Map<number, Transaction[]>();
  for (const { read, position } of reads) {
    if (!writers.has(read.transaction)) continue;
    const group = byPosition.get(position);
    if (group === undefined) byPosition.set(position, [read.transaction]);
    else group.push(read.transaction);
  }
  return [...byPosition]
    .filter(([, group]) => group.length > 1)
    .map(([position, group]) => {
      const seen = describeList(order.slice(0, position).map(({ value }) => value));
      return makeAnomaly('lost-update', group, [`all read ${key} ${seen} and appended to ${key}`]);
    });
}
