import type { Append } from './committed.ts';
import { describeList, type Transaction } from './transaction.ts';
import type { Versions } from './versions.ts';

/**
 * Why one transaction stands before another (Adya's direct serialization graph):
 * - `ww`: the next append to a list is the other's;
 * - `wr`: the other read a list that ends in its append;
 * - `rw`: it read a list to which the other's append came next (anti-dependency);
 * - `rt`: it had ended before the other began.
 */
export interface Edge {
  readonly type: 'ww' | 'wr' | 'rw' | 'rt';
  readonly from: number;
  readonly to: number;
  /** The fact, in words, when asked for. */
  readonly why: (from: string, to: string) => string;
}

export type NumberOf = (transaction: Transaction) => number;

/** Edges per key beyond which those to lost appends are thinned out. */
const UNOBSERVED_EDGES_MAX = 1_000_000;

export function* versionEdges(versions: Versions, numberOf: NumberOf): Iterable<Edge> {
  for (const edge of everyVersionEdge(versions, numberOf)) if (edge.from !== edge.to) yield edge;
}

function* everyVersionEdge(versions: Versions, numberOf: NumberOf): Iterable<Edge> {
  const { key, order, reads } = versions;
  const unobserved = thinned(versions);
  const last = order.at(-1);
  for (let at = 1; at < order.length; at++) yield ww(order[at - 1]!, order[at]!, numberOf);
  if (last !== undefined) for (const append of unobserved) yield ww(last, append, numberOf);
  for (const { read, position } of reads) {
    const from = numberOf(read.transaction);
    const list = (): string => `${key} ${describeList(read.values)}`;
    const seen = order[position - 1];
    if (seen !== undefined) {
      const why = (a: string, b: string): string =>
        `${a} appended ${JSON.stringify(seen.value)}, and ${b} read ${list()}`;
      yield { type: 'wr', from: numberOf(seen.transaction), to: from, why };
    }
    const missed = position < order.length ? [order[position]!] : unobserved;
    const own = missed.find(({ transaction }) => transaction === read.transaction);
    for (const append of missed) {
      // Appends to a version stand right after it: were another between, this one would be missed.
      if (own !== undefined) yield ww(own, append, numberOf);
      const { transaction, value } = append;
      const why = (a: string, b: string): string =>
        `${a} read ${list()}, without ${JSON.stringify(value)} that ${b} appended`;
      yield { type: 'rw', from, to: numberOf(transaction), why };
    }
  }
}

function ww(before: Append, after: Append, numberOf: NumberOf): Edge {
  const values = `${JSON.stringify(before.value)} to ${before.key} before`;
  const why = (a: string, b: string): string =>
    `${a} appended ${values} ${b} appended ${JSON.stringify(after.value)}`;
  const [from, to] = [numberOf(before.transaction), numberOf(after.transaction)];
  return { type: 'ww', from, to, why };
}

/**
 * Appends that no read shows, first those that ended early: they are the ones that reads should have
 * shown. Thousands of them under thousands of reads give no more than a million edges; leaving some
 * out can hide a fault behind the many that such a history has, and makes none up.
 */
function thinned({ order, unobserved, reads }: Versions): readonly Append[] {
  const readers = reads.filter(({ position }) => position === order.length).length;
  const countMax = Math.floor(UNOBSERVED_EDGES_MAX / Math.max(1, readers));
  if (unobserved.length <= countMax) return unobserved;
  const byEnd = [...unobserved].sort((a, b) => a.transaction.returned - b.transaction.returned);
  return byEnd.slice(0, countMax);
}

/**
 * The order of time, as few edges as give it: none that follows from two others. A transaction is
 * linked from those that had ended when it began, but for those that had ended before one of these
 * began.
 */
export function* realTimeEdges(transactions: readonly Transaction[]): Iterable<Edge> {
  let latest: number[] = [];
  for (const { type, number } of timeline(transactions)) {
    const transaction = transactions[number]!;
    if (type === 'call') {
      for (const from of latest) yield rt(transactions, from, number);
    } else {
      latest = latest.filter((other) => transactions[other]!.returned >= transaction.call);
      latest.push(number);
    }
  }
}

function rt(transactions: readonly Transaction[], from: number, to: number): Edge {
  const [{ returned }, { call }] = [transactions[from]!, transactions[to]!];
  const why = (a: string, b: string): string =>
    `${a} had ended at ${returned} when ${b} began at ${call}`;
  return { type: 'rt', from, to, why };
}

interface TimelineEvent {
  readonly type: 'call' | 'return';
  readonly time: number;
  readonly number: number;
}

/** Calls before returns at the same time: transactions that touch overlap. */
function timeline(transactions: readonly Transaction[]): TimelineEvent[] {
  const events = transactions.flatMap(({ call, returned }, number): TimelineEvent[] => [
    { type: 'call', time: call, number },
    ...(Number.isFinite(returned) ? [{ type: 'return', time: returned, number } as const] : []),
  ]);
  const rank = { call: 0, return: 1 };
  return events.sort((a, b) => a.time - b.time || rank[a.type] - rank[b.type]);
}
