import type { Disk, DiskFile } from '@themisdb/base';

/** A real disk that can be told to make nothing durable for a while: commits wait. */
export class StuckDisk {
  readonly disk: Disk;
  #free: Promise<void> = Promise.resolve();
  #release: () => void = () => undefined;
  #isStuck = false;
  #onHeld: (() => void)[] = [];

  constructor(real: Disk) {
    this.disk = {
      ...real,
      open: async (path, options) => this.#wrap(await real.open(path, options)),
    };
  }

  stick(): void {
    this.#isStuck = true;
    this.#free = new Promise((resolve) => (this.#release = resolve));
  }

  /** Resolves when something next waits to be durable. */
  held(): Promise<void> {
    return new Promise((resolve) => this.#onHeld.push(resolve));
  }

  release(): void {
    this.#isStuck = false;
    this.#release();
  }

  #wrap(file: DiskFile): DiskFile {
    return {
      path: file.path,
      read: (position, length) => file.read(position, length),
      write: (position, bytes) => file.write(position, bytes),
      truncate: (length) => file.truncate(length),
      allocate: (length) => file.allocate(length),
      size: () => file.size(),
      close: () => file.close(),
      datasync: async () => {
        if (this.#isStuck) for (const tell of this.#onHeld.splice(0)) tell();
        await this.#free;
        await file.datasync();
      },
    };
  }
}
