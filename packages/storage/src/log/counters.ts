import { getU53, setU53 } from '../codec/integers.ts';

/** Exact numbers of entities, as of the last command formed. */
export class Counters {
  readonly #counts = new Map<number, number>();

  get(collectionId: number): number {
    return this.#counts.get(collectionId) ?? 0;
  }

  set(collectionId: number, count: number): void {
    this.#counts.set(collectionId, count);
  }

  replace(by: Counters): void {
    this.#counts.clear();
    for (const [id, count] of by.#counts) this.#counts.set(id, count);
  }

  delete(collectionId: number): void {
    this.#counts.delete(collectionId);
  }
}

export function encodeCount(count: number): Uint8Array {
  const out = new Uint8Array(8);
  setU53(out, 0, count);
  return out;
}

export function decodeCount(bytes: Uint8Array | undefined): number {
  if (bytes === undefined) return 0;
  return getU53(bytes, 0);
}
