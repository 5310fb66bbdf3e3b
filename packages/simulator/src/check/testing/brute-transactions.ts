import type { IsolationLevel } from '../list-append/anomaly.ts';
import type { ListValue, Transaction } from '../list-append/transaction.ts';

type Lists = ReadonlyMap<string, readonly ListValue[]>;

/**
 * Isolation by definition, for histories of a few transactions: tries every serial order, or every
 * interleaving of snapshots and commits, with every choice of those of unknown outcome.
 */
export function isIsolatedByDefinition(
  transactions: readonly Transaction[],
  level: IsolationLevel,
): boolean {
  const possible = transactions.filter(({ outcome }) => outcome !== 'failed');
  if (level === 'snapshot')
    return hasSnapshotRun({ lists: new Map(), versions: [], open: [] }, possible);
  return hasSerialRun(new Map(), possible, level === 'strict-serializable');
}

function hasSerialRun(lists: Lists, left: readonly Transaction[], isStrict: boolean): boolean {
  if (left.every(({ outcome }) => outcome === 'unknown')) return true;
  return left.some((transaction) => {
    const rest = left.filter((other) => other !== transaction);
    const isTooEarly = rest.some(
      ({ outcome, returned }) => outcome === 'committed' && returned < transaction.call,
    );
    if (isStrict && isTooEarly) return false;
    const after = execute(lists, transaction);
    return after !== undefined && hasSerialRun(after, rest, isStrict);
  });
}

interface SnapshotState {
  readonly lists: Lists;
  /** The keys that each commit wrote, in order. */
  readonly versions: readonly ReadonlySet<string>[];
  /** Begun and not ended: what they will write, and how many commits they saw. */
  readonly open: readonly { transaction: Transaction; after: Lists; sawCommits: number }[];
}

function hasSnapshotRun(state: SnapshotState, left: readonly Transaction[]): boolean {
  const { lists, versions, open } = state;
  const waiting = [...left, ...open.map(({ transaction }) => transaction)];
  if (waiting.every(({ outcome }) => outcome === 'unknown')) return true;
  const canBegin = left.some((transaction) => {
    const after = execute(lists, transaction);
    if (after === undefined) return false;
    const begun = { transaction, after, sawCommits: versions.length };
    const rest = left.filter((other) => other !== transaction);
    return hasSnapshotRun({ lists, versions, open: [...open, begun] }, rest);
  });
  if (canBegin) return true;
  return open.some((ending) => {
    const keys = new Set(
      ending.transaction.steps.filter(({ type }) => type === 'append').map(({ key }) => key),
    );
    // The first committer wins.
    const isBeaten = versions
      .slice(ending.sawCommits)
      .some((written) => [...keys].some((key) => written.has(key)));
    if (isBeaten) return false;
    const after = new Map(lists);
    for (const key of keys) after.set(key, ending.after.get(key)!);
    const rest = open.filter((other) => other !== ending);
    return hasSnapshotRun({ lists: after, versions: [...versions, keys], open: rest }, left);
  });
}

/** The lists after the transaction, or undefined if it would have read something else. */
function execute(lists: Lists, { steps }: Transaction): Lists | undefined {
  const after = new Map(lists);
  for (const step of steps) {
    const list = after.get(step.key) ?? [];
    if (step.type === 'append') after.set(step.key, [...list, step.value]);
    else if (step.values !== undefined && String(step.values) !== String(list)) return undefined;
  }
  return after;
}
