import type { KvEntry } from '@themisdb/kv';
import { keyText, type KeyText } from '../keys.ts';

export interface MergedBatch<Out> {
  readonly rows: Out[];
  /** The key of the row at a position. */
  keyAt(position: number): KeyText;
}

/**
 * Merges engine entries with own writes, both in key order (descending when `reverse`): an own write
 * replaces the entry of its key, or hides it when `fromOwn` gives undefined.
 */
export async function* mergeScan<Own extends { readonly text: KeyText }, Out>(
  batches: AsyncIterable<KvEntry[]>,
  parts: {
    readonly own: readonly Own[];
    fromEngine(entry: KvEntry): Out;
    fromOwn(own: Own): Out | undefined;
  },
  reverse: boolean,
): AsyncIterableIterator<MergedBatch<Out>> {
  if (parts.own.length === 0) {
    for await (const batch of batches) {
      yield { rows: batch.map(parts.fromEngine), keyAt: (i) => keyText(batch[i]!.key) };
    }
    return;
  }
  const own = reverse ? [...parts.own].reverse() : parts.own;
  const comesFirst = reverse
    ? (a: KeyText, b: KeyText): boolean => a > b
    : (a: KeyText, b: KeyText): boolean => a < b;
  let next = 0;
  for await (const batch of batches) {
    const out = new Batch<Out>();
    for (const entry of batch) {
      const text = keyText(entry.key);
      while (next < own.length && comesFirst(own[next]!.text, text)) {
        out.add(own[next]!.text, parts.fromOwn(own[next]!));
        next++;
      }
      if (next < own.length && own[next]!.text === text) {
        out.add(text, parts.fromOwn(own[next]!));
        next++;
      } else out.add(text, parts.fromEngine(entry));
    }
    if (out.rows.length > 0) yield out;
  }
  const rest = new Batch<Out>();
  for (; next < own.length; next++) rest.add(own[next]!.text, parts.fromOwn(own[next]!));
  if (rest.rows.length > 0) yield rest;
}

class Batch<Out> implements MergedBatch<Out> {
  readonly rows: Out[] = [];
  readonly #keys: KeyText[] = [];

  add(text: KeyText, row: Out | undefined): void {
    if (row === undefined) return;
    this.rows.push(row);
    this.#keys.push(text);
  }

  keyAt(position: number): KeyText {
    return this.#keys[position]!;
  }
}
