import { assert, assertDiskPath, parentPath, type Prng } from '@themisdb/base';
import type { Disk, DiskFile, OpenOptions } from '@themisdb/base';
import type { ErrorCode } from '@themisdb/protocol';
import type { SimScheduler } from './scheduler.ts';
import { SimFaults, simError, type DiskFault, type DiskOperation } from './sim-faults.ts';
import { SimFile, type Performer } from './sim-file.ts';
import { SimInode } from './sim-inode.ts';
import { SimTree } from './sim-tree.ts';
import type { Trace } from './trace.ts';

/** Shortest and longest duration of an operation, in virtual milliseconds. */
export type LatencyMs = readonly [minMs: number, maxMs: number];

export interface SimDiskOptions {
  /** Space for the sizes of all files together. Default: without end. */
  readonly capacityBytes?: number;
  /** Of reads, writes and the rest. Default 0.01 to 0.1. */
  readonly latencyMs?: LatencyMs;
  /** Of `datasync` and `syncDirectory`. Default 0.1 to 0.5. */
  readonly syncLatencyMs?: LatencyMs;
}

/**
 * A disk in memory, on virtual time, with the crash semantics of the `Disk` contract taken to the
 * letter: whatever no sync covered is lost, kept or half kept (`SimInode`, `SimTree`).
 *
 * A change takes effect when it is called, so that a crash before its promise settles may find any
 * part of it; a read looks, and a sync covers, at the end of its duration what was there at its start.
 */
export class SimDisk implements Disk, Performer {
  readonly #scheduler: SimScheduler;
  readonly #prng: Prng;
  readonly #trace: Trace;
  readonly #latencyMs: LatencyMs;
  readonly #syncLatencyMs: LatencyMs;
  readonly #tree: SimTree = new SimTree();
  readonly #faults: SimFaults = new SimFaults();
  #capacityBytes: number;
  #slowness = 1;
  #life = 0;

  constructor(scheduler: SimScheduler, prng: Prng, trace: Trace, options: SimDiskOptions = {}) {
    this.#scheduler = scheduler;
    this.#prng = prng;
    this.#trace = trace;
    this.#capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY;
    this.#latencyMs = options.latencyMs ?? [0.01, 0.1];
    this.#syncLatencyMs = options.syncLatencyMs ?? [0.1, 0.5];
  }

  async open(path: string, options: OpenOptions): Promise<DiskFile> {
    const { create = false, readOnly = false } = options;
    assert(!(create && readOnly), () => `${path}: a file cannot be created read-only`);
    return this.perform('open', path, `${create} ${readOnly}`, () => {
      const inode = this.#openInode(path, create);
      return () => new SimFile(this, path, inode, readOnly);
    });
  }

  list(path: string): Promise<string[]> {
    return this.perform('list', path, '', () => () => this.#tree.list(path));
  }

  exists(path: string): Promise<boolean> {
    return this.perform('exists', path, '', () => () => this.#tree.get(path) !== undefined);
  }

  makeDirectory(path: string): Promise<void> {
    return this.perform('makeDirectory', path, '', () => {
      this.#makeFolders(path);
      return done;
    });
  }

  async rename(from: string, to: string): Promise<void> {
    assertDiskPath(to);
    return this.perform('rename', from, to, () => {
      this.#mustExist('rename', from);
      this.#mustBeFolder('rename', parentPath(to));
      if (from !== to) this.#tree.rename(from, to);
      return done;
    });
  }

  async remove(path: string): Promise<void> {
    assert(path !== '', 'the root folder cannot be removed');
    return this.perform('remove', path, '', () => {
      if (this.#tree.get(path) !== undefined) this.#tree.remove(path);
      return done;
    });
  }

  syncDirectory(path: string): Promise<void> {
    return this.perform('syncDirectory', path, '', () => {
      this.#mustBeFolder('syncDirectory', path);
      const mark = this.#tree.mark();
      return () => this.#tree.synced(path, mark);
    });
  }

  nativePath(path: string): string {
    assertDiskPath(path);
    return path === '' ? '/sim' : `/sim/${path}`;
  }

  /** Orders an operation to fail. A failed write has written a part; a failed sync is final. */
  fail(fault: DiskFault): void {
    this.#faults.order(fault);
  }

  /** Changes the space of the disk; what is on it stays. */
  setCapacity(bytes: number): void {
    this.#capacityBytes = bytes;
  }

  usedBytes(): number {
    return this.#tree.files().reduce((sum, [, inode]) => sum + inode.size, 0);
  }

  /** All operations take so many times as long from now on. */
  slowDown(factor: number): void {
    this.#slowness = factor;
  }

  /** Flips one bit (0 to 7) of a file, as decay of the medium does. */
  flipBit(path: string, position: number, bit: number): void {
    this.#mustGet(path).flipBit(position, bit);
  }

  /** All files there are, with their sizes. */
  files(): { readonly path: string; readonly size: number }[] {
    return this.#tree.files().map(([path, { size }]) => ({ path, size }));
  }

  /** A file's bytes as the process sees them, at once. */
  peek(path: string): Uint8Array {
    const inode = this.#mustGet(path);
    return inode.read(0, inode.size);
  }

  /** Puts a durable file there at once, with its folders: how a test lays out old data. */
  plant(path: string, bytes: Uint8Array): void {
    const inode = new SimInode();
    inode.write(0, bytes);
    inode.synced(inode.mark());
    this.#makeFolders(parentPath(path));
    this.#tree.link(path, inode);
    for (let at = path; at !== ''; at = parentPath(at)) {
      this.#tree.synced(parentPath(at), this.#tree.mark());
    }
  }

  /**
   * Power is cut: calls under way never settle, handles are dead, and of all that no sync covered some
   * is lost, as `prng` says.
   */
  crash(prng: Prng): void {
    this.#life++;
    this.#trace.add(`${this.#scheduler.nowMs} disk crash`);
    this.#tree.crash(prng);
    for (const [, inode] of this.#tree.files()) inode.crash(prng);
  }

  /** The process dies, the machine lives on: as `crash`, but what was written is still there. */
  kill(): void {
    this.#life++;
    this.#trace.add(`${this.#scheduler.nowMs} disk kill`);
  }

  get life(): number {
    return this.#life;
  }

  // An error is found out when the operation starts and told when it ends.
  async perform<T>(
    operation: DiskOperation,
    path: string,
    note: string,
    start: () => () => T,
    spoil?: () => void,
  ): Promise<T> {
    assertDiskPath(path);
    const struck = this.#faults.strike(operation, path);
    const outcome =
      struck === undefined
        ? attempt(start)
        : attempt(() => this.#spoil(struck, operation, path, spoil));
    const durationMs = this.#durationMs(operation);
    this.#trace.add(`${this.#scheduler.nowMs} ${operation} ${path} ${note} ${struck ?? ''}`);
    await this.#pass(durationMs);
    if (!outcome.ok) throw outcome.error;
    return outcome.value();
  }

  freeBytes(): number {
    return this.#capacityBytes - this.usedBytes();
  }

  #spoil(
    code: ErrorCode,
    operation: DiskOperation,
    path: string,
    spoil: (() => void) | undefined,
  ): never {
    spoil?.();
    throw simError(code, operation, path);
  }

  #pass(durationMs: number): Promise<void> {
    const life = this.#life;
    return new Promise((resolve) => {
      this.#scheduler.at(durationMs, () => {
        if (life === this.#life) resolve();
      });
    });
  }

  #durationMs(operation: DiskOperation): number {
    const isSync = operation === 'datasync' || operation === 'syncDirectory';
    const [minMs, maxMs] = isSync ? this.#syncLatencyMs : this.#latencyMs;
    return (minMs + this.#prng.float() * (maxMs - minMs)) * this.#slowness;
  }

  #openInode(path: string, create: boolean): SimInode {
    const node = this.#tree.get(path);
    if (node === 'folder') throw simError('DISK_IO', 'open', path);
    if (node !== undefined) return node;
    if (!create || !this.#tree.isFolder(parentPath(path))) {
      throw simError('FILE_NOT_FOUND', 'open', path);
    }
    const inode = new SimInode();
    this.#tree.link(path, inode);
    return inode;
  }

  #makeFolders(path: string): void {
    const node = this.#tree.get(path);
    if (node === 'folder') return;
    if (node !== undefined) throw simError('DISK_IO', 'makeDirectory', path);
    this.#makeFolders(parentPath(path));
    this.#tree.link(path, 'folder');
  }

  #mustExist(operation: DiskOperation, path: string): void {
    if (this.#tree.get(path) === undefined) throw simError('FILE_NOT_FOUND', operation, path);
  }

  #mustBeFolder(operation: DiskOperation, path: string): void {
    if (!this.#tree.isFolder(path)) throw simError('FILE_NOT_FOUND', operation, path);
  }

  #mustGet(path: string): SimInode {
    const node = this.#tree.get(path);
    assert(node !== undefined && node !== 'folder', () => `no file ${path} on the simulated disk`);
    return node;
  }
}

type Outcome<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

function attempt<T>(run: () => T): Outcome<T> {
  try {
    return { ok: true, value: run() };
  } catch (error) {
    return { ok: false, error };
  }
}

function done(): void {}
