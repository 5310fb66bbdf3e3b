import type { Disk, DiskFile } from '@themisdb/base';

/** A real disk that can be told to make nothing durable for a while: commits wait. */
export class StuckDisk {
  readonly disk: Disk;
  #free: Promise<void> = Promise.resolve();
  #release: () => void = () => undefined;

  constructor(real: Disk) {
    this.disk = {
      ...real,
      open: async (path, options) => this.#wrap(await real.open(path, options)),
    };
  }

  stick(): void {
    this.#free = new Promise((resolve) => (this.#release = resolve));
  }

  release(): void {
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
        await this.#free;
        await file.datasync();
      },
    };
  }
}
