import type { Prng } from '@themisdb/base';
import { SparseBytes } from './sparse-bytes.ts';

export const sectorBytes = 512;

interface PendingChange {
  readonly order: number;
  /** Bytes written at `position`; a change of size alone when absent. */
  readonly bytes?: Uint8Array;
  /** Where the bytes go, or the new size. */
  readonly position: number;
  /** Covered by a sync that failed: no later sync makes it durable. */
  doomed: boolean;
}

/**
 * A file's content: as the process sees it, as the medium holds it, and the changes in between.
 *
 * At a crash each pending change is lost or kept, a write sector by sector (a sector of 512 bytes is
 * written wholly or not at all). After a failed sync the kernel forgets that the pages it covered were
 * dirty, so a later sync that succeeds says nothing about them (LSFMM 2018, "PostgreSQL's fsync()
 * surprise"); the same happens here.
 */
export class SimInode {
  #current: SparseBytes = new SparseBytes();
  readonly #durable: SparseBytes = new SparseBytes();
  #pending: PendingChange[] = [];
  #order = 0;

  get size(): number {
    return this.#current.size;
  }

  read(position: number, length: number): Uint8Array {
    return this.#current.read(position, length);
  }

  write(position: number, bytes: Uint8Array): void {
    this.#current.write(position, bytes);
    this.#push({ bytes: bytes.slice(), position });
  }

  truncate(length: number): void {
    resize(this.#current, length);
    this.#push({ position: length });
  }

  /** Stands for all changes made so far, for `synced` and `syncFailed`. */
  mark(): number {
    return this.#order;
  }

  synced(mark: number): void {
    const covered = (change: PendingChange): boolean => change.order < mark && !change.doomed;
    const done = this.#pending.filter(covered);
    for (const change of done) apply(this.#durable, change);
    // What a failed sync covered and a later write replaced is on the medium no more, if it ever was.
    this.#pending = this.#pending.filter(
      (change) => !covered(change) && !(change.doomed && done.some((by) => replaces(by, change))),
    );
  }

  syncFailed(mark: number): void {
    for (const change of this.#pending) if (change.order < mark) change.doomed = true;
  }

  /** Flips a bit on the medium, and in the page cache. */
  flipBit(position: number, bit: number): void {
    for (const bytes of [this.#current, this.#durable]) {
      const byte = bytes.read(position, 1);
      if (byte.length === 0) continue;
      byte[0]! ^= 1 << bit;
      bytes.write(position, byte);
    }
  }

  crash(prng: Prng): void {
    const odds = prng.pick([0, 1, 0.5, 0.9, 0.1]);
    for (const change of this.#pending) keepSome(this.#durable, change, prng, odds);
    this.#pending = [];
    this.#current = this.#durable.clone();
  }

  #push(change: { readonly bytes?: Uint8Array; readonly position: number }): void {
    this.#pending.push({ ...change, order: this.#order++, doomed: false });
  }
}

function resize(target: SparseBytes, length: number): void {
  if (length < target.size) target.truncate(length);
  else target.grow(length);
}

function replaces(by: PendingChange, change: PendingChange): boolean {
  if (by.order < change.order) return false;
  if (by.bytes === undefined || change.bytes === undefined) return true;
  const [end, otherEnd] = [by.position + by.bytes.length, change.position + change.bytes.length];
  return by.position < otherEnd && change.position < end;
}

function apply(target: SparseBytes, change: PendingChange): void {
  if (change.bytes === undefined) resize(target, change.position);
  else target.write(change.position, change.bytes);
}

function keepSome(target: SparseBytes, change: PendingChange, prng: Prng, odds: number): void {
  const { bytes, position } = change;
  if (bytes === undefined) {
    if (prng.chance(odds)) apply(target, change);
    return;
  }
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(at + sectorBytes - ((position + at) % sectorBytes), bytes.length);
    if (prng.chance(odds)) target.write(position + at, bytes.subarray(at, end));
    // The new size may reach the medium although the data did not.
    else if (prng.chance(odds / 4)) target.grow(position + end);
    at = end;
  }
}
