import { createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';

/** The formats of packages/simulator: one operation on a register, or one transaction over lists. */
export interface RegisterOperation {
  readonly process: string;
  readonly key: string;
  readonly input:
    | { readonly type: 'read' }
    | { readonly type: 'write'; readonly value: string }
    | { readonly type: 'cas'; readonly expected: string | null; readonly value: string };
  readonly call: number;
  readonly returned: number;
  readonly outcome:
    | {
        readonly type: 'ok';
        readonly output:
          | { readonly type: 'read'; readonly value: string | null }
          | { readonly type: 'write' }
          | { readonly type: 'cas'; readonly swapped: boolean };
      }
    | { readonly type: 'failed' }
    | { readonly type: 'unknown' };
}

export type ListStep =
  | { readonly type: 'append'; readonly key: string; readonly value: string }
  | { readonly type: 'read'; readonly key: string; readonly values?: readonly string[] };

export interface ListTransaction {
  readonly process: string;
  readonly call: number;
  readonly returned: number;
  readonly outcome: 'committed' | 'failed' | 'unknown';
  readonly steps: readonly ListStep[];
}

/** Keeps a history and writes it to a file, one JSON object a line; an unknown end is null there. */
export class History<Entry extends { readonly returned: number }> {
  readonly path: string;
  readonly entries: Entry[] = [];
  readonly #file: WriteStream;

  constructor(path: string) {
    this.path = path;
    this.#file = createWriteStream(path);
  }

  add(entry: Entry): void {
    this.entries.push(entry);
    const returned = Number.isFinite(entry.returned) ? entry.returned : null;
    this.#file.write(JSON.stringify({ ...entry, returned }) + '\n');
  }

  async close(): Promise<void> {
    this.#file.end();
    await once(this.#file, 'finish');
  }
}

/** The one clock of all clients: milliseconds since the start, to the microsecond. */
export function now(): number {
  return Math.round(performance.now() * 1000) / 1000;
}
