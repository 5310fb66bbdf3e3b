import type { Value } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import { isRecord, recordBytes } from './materialise.ts';
import type { Batch, MemoryMeter, Row } from './operator.ts';

export class Meter implements MemoryMeter {
  readonly #limit: number;
  #used = 0;
  #peak = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  get peak(): number {
    return this.#peak;
  }

  charge(bytes: number): void {
    this.#used += bytes;
    if (this.#used > this.#peak) this.#peak = this.#used;
    if (this.#used > this.#limit) throw overLimit(this.#limit);
  }

  release(bytes: number): void {
    this.#used -= bytes;
  }
}

export function overLimit(limit: number): Error {
  return themisError('QUERY_MEMORY', {
    message: `The query needs more than the ${limit} bytes of memory allowed: filter more, limit, or raise memoryLimit.`,
    details: { memoryLimit: limit },
  });
}

const pointer = 8;
const header = 16;

/** A rough size of what a value holds on the heap. */
export function estimateBytes(value: Value): number {
  switch (typeof value) {
    case 'string':
      return header + value.length;
    case 'object': {
      if (value === null) return 0;
      let bytes = header;
      if (Array.isArray(value)) {
        for (const item of value as readonly Value[]) bytes += pointer + estimateBytes(item);
      } else {
        if (isRecord(value)) return recordBytes;
        // oxlint-disable-next-line typescript/no-for-in-array -- arrays were handled above; no keys array is made.
        for (const name in value) {
          bytes += pointer + estimateBytes((value as Record<string, Value>)[name]!);
        }
      }
      return bytes;
    }
    default:
      return 0;
  }
}

const samples = 8;

/** The size of a batch, from a sample of its rows. */
export function estimateBatchBytes(batch: Batch): number {
  if (batch.length === 0) return 0;
  const stride = Math.max(1, Math.floor(batch.length / samples));
  let bytes = 0;
  let seen = 0;
  for (let i = 0; i < batch.length; i += stride) {
    bytes += rowBytes(batch[i]!);
    seen++;
  }
  return Math.ceil((bytes / seen) * batch.length);
}

export function rowBytes(row: Row): number {
  let bytes = header + row.length * pointer;
  for (const value of row) bytes += estimateBytes(value);
  return bytes;
}
