import type { Transaction } from './transaction.ts';

/**
 * What can go wrong, by the names of Adya (1999) and Elle. Those that end in `-realtime` are cycles
 * that hold together by the order of time only: allowed unless isolation is strict.
 */
export const anomalies = {
  'duplicate-append': 'the workload appended a value twice, nothing can be said',
  'unwritten-read': 'a read saw a value that nobody appended',
  'duplicate-value': 'a read saw a value twice, which was appended once',
  internal: 'a transaction contradicts its own earlier steps',
  G1a: 'aborted read: a read saw the append of a transaction that failed',
  G1b: 'intermediate read: a read saw part of what a transaction appended to a list',
  'incompatible-order': 'two reads disagree about the order of appends',
  'lost-update': 'two transactions read the same version and both appended to it',
  G0: 'dirty write: transactions overwrote each other in a circle',
  G1c: 'circular information flow',
  'G-single': 'read skew: a transaction missed part of another that it saw or overwrote',
  'G-nonadjacent': 'a cycle with several missed appends, no two in a row',
  G2: 'write skew: transactions missed appends of each other in a circle',
  'G0-realtime': 'an append stands before another that was there when it began',
  'G1c-realtime': 'a transaction saw one that began after it had ended',
  'G-single-realtime': 'stale read: a transaction missed one that had ended before it began',
  'G-nonadjacent-realtime': 'stale reads in a circle',
  'G2-realtime': 'transactions missed appends of each other in a circle, in real time',
} as const;

export type AnomalyName = keyof typeof anomalies;

export interface Anomaly {
  readonly name: AnomalyName;
  /** A heading and the facts, a line each. */
  readonly text: string;
  readonly transactions: readonly Transaction[];
}

/**
 * - `snapshot`: snapshot isolation (generalized: a snapshot may be old). Write skew is allowed.
 * - `serializable`: as if one after the other, in whichever order.
 * - `strict-serializable`: as if one after the other, in an order that agrees with real time.
 */
export type IsolationLevel = 'snapshot' | 'serializable' | 'strict-serializable';

/** Whether a system that promises `level` may show the anomaly. */
export function isAllowed(name: AnomalyName, level: IsolationLevel): boolean {
  if (level === 'strict-serializable') return false;
  if (name.endsWith('-realtime')) return true;
  return level === 'snapshot' && name === 'G2';
}
