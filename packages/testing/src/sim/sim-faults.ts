import { themisError, type ErrorCode } from '@themisdb/protocol';

export type DiskOperation =
  | 'open'
  | 'read'
  | 'write'
  | 'datasync'
  | 'truncate'
  | 'allocate'
  | 'close'
  | 'size'
  | 'list'
  | 'exists'
  | 'makeDirectory'
  | 'rename'
  | 'remove'
  | 'syncDirectory';

export interface DiskFault {
  readonly operation: DiskOperation;
  /** Strikes the nth matching operation from now, counted from 1. Default 1. */
  readonly nth?: number;
  /** Only operations on paths that start with this. */
  readonly path?: string;
  /** `DISK_IO` (default) or `DISK_FULL`. */
  readonly code?: 'DISK_IO' | 'DISK_FULL';
}

/** The faults ordered and not yet struck. */
export class SimFaults {
  #waiting: { readonly fault: DiskFault; left: number }[] = [];

  order(fault: DiskFault): void {
    this.#waiting.push({ fault, left: fault.nth ?? 1 });
  }

  /** Counts the operation; the code to fail with, if it is struck. */
  strike(operation: DiskOperation, path: string): 'DISK_IO' | 'DISK_FULL' | undefined {
    let struck: DiskFault | undefined;
    for (const entry of this.#waiting) {
      const { fault } = entry;
      if (fault.operation !== operation || !path.startsWith(fault.path ?? '')) continue;
      if (--entry.left === 0) struck ??= fault;
    }
    this.#waiting = this.#waiting.filter(({ left }) => left > 0);
    return struck && (struck.code ?? 'DISK_IO');
  }
}

/** The error the real disk gives too. */
export function simError(code: ErrorCode, operation: string, path: string): Error {
  return themisError(code, {
    message: `${operation} of ${path === '' ? 'the root folder' : path} failed: simulated`,
    details: { operation, path },
  });
}
