import { assert, crc32c, type DiskFile } from '@themisdb/base';
import { simError, type DiskOperation } from './sim-faults.ts';
import type { SimInode } from './sim-inode.ts';

/** What a file needs of its disk. */
export interface Performer {
  /** Counts up at each crash. */
  readonly life: number;
  /** Space left for files to grow into. */
  freeBytes(): number;
  /**
   * One operation: `start` makes the change at once and gives what is to be done at the end of the
   * operation's duration, whose value is the result. `spoil` is called instead when the operation is
   * ordered to fail, and may leave half a change behind.
   */
  perform<T>(
    operation: DiskOperation,
    path: string,
    note: string,
    start: () => () => T,
    spoil?: () => void,
  ): Promise<T>;
}

/** An open file of the simulated disk. Dead after `close` and after a crash of its disk. */
export class SimFile implements DiskFile {
  readonly path: string;
  readonly #disk: Performer;
  readonly #inode: SimInode;
  readonly #readOnly: boolean;
  readonly #life: number;
  #closed = false;

  constructor(disk: Performer, path: string, inode: SimInode, readOnly: boolean) {
    this.path = path;
    this.#disk = disk;
    this.#inode = inode;
    this.#readOnly = readOnly;
    this.#life = disk.life;
  }

  read(position: number, length: number): Promise<Uint8Array> {
    return this.#perform('read', `${position}+${length}`, () => {
      return () => this.#inode.read(position, length);
    });
  }

  write(position: number, bytes: Uint8Array): Promise<void> {
    const note = bytesNote(position, bytes);
    return this.#change(
      'write',
      note,
      () => this.#write(position, bytes),
      () => {
        this.#inode.write(position, bytes.subarray(0, bytes.length >> 1));
      },
    );
  }

  datasync(): Promise<void> {
    const mark = this.#inode.mark();
    return this.#perform(
      'datasync',
      '',
      () => () => this.#inode.synced(mark),
      () => this.#inode.syncFailed(mark),
    );
  }

  truncate(length: number): Promise<void> {
    return this.#change('truncate', String(length), () => {
      const growth = Math.max(length - this.#inode.size, 0);
      if (growth > this.#disk.freeBytes()) throw simError('DISK_FULL', 'truncate', this.path);
      this.#inode.truncate(length);
    });
  }

  allocate(length: number): Promise<void> {
    return this.#change('allocate', String(length), () => {
      const growth = length - this.#inode.size;
      if (growth <= 0) return;
      if (growth > this.#disk.freeBytes()) throw simError('DISK_FULL', 'allocate', this.path);
      this.#inode.truncate(length);
    });
  }

  size(): Promise<number> {
    return this.#perform('size', '', () => () => this.#inode.size);
  }

  close(): Promise<void> {
    return this.#perform('close', '', () => {
      this.#closed = true;
      return () => {};
    });
  }

  #write(position: number, bytes: Uint8Array): void {
    const growth = Math.max(position + bytes.length - this.#inode.size, 0);
    const lacking = growth - Math.min(growth, Math.max(this.#disk.freeBytes(), 0));
    if (lacking === 0) return this.#inode.write(position, bytes);
    // As the kernel does: what fits is written before the error is told.
    const fitting = bytes.length - Math.min(lacking, bytes.length);
    if (fitting > 0) this.#inode.write(position, bytes.subarray(0, fitting));
    throw simError('DISK_FULL', 'write', this.path);
  }

  #change(
    operation: DiskOperation,
    note: string,
    change: () => void,
    spoil?: () => void,
  ): Promise<void> {
    const start = (): (() => void) => {
      assert(!this.#readOnly, () => `${this.path} is open for reading only`);
      change();
      return () => {};
    };
    return this.#perform(operation, note, start, spoil);
  }

  async #perform<T>(
    operation: DiskOperation,
    note: string,
    start: () => () => T,
    spoil?: () => void,
  ): Promise<T> {
    assert(!this.#closed, () => `${this.path} is used after close`);
    assert(this.#life === this.#disk.life, () => `${this.path} was opened before a crash`);
    return this.#disk.perform(operation, this.path, note, start, spoil);
  }
}

/** What goes into the trace for a run of bytes. */
function bytesNote(position: number, bytes: Uint8Array): string {
  return `${position}+${bytes.length} ${crc32c(bytes)}`;
}
