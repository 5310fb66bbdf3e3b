import { concatBytes } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { WalRecord } from '@themisdb/wal';
import { entryForm } from './entries.ts';

/**
 * Kinds of log records that hold entries. Format 1 of the store knew the first two: a part had no byte
 * in front, and the last part was of kind `command`. Kinds from 16 on belong to the replicated log.
 */
export const recordKind = {
  /** A whole command; in logs of format 1 also the last part of a long one. */
  command: 1,
  /** Format 1: a part that is not the last. */
  bare: 2,
  /** Any other entry, or an empty one. */
  entry: 3,
} as const;

export function recordKindOf(data: Uint8Array | undefined): number {
  return data?.[0] === entryForm.command ? recordKind.command : recordKind.entry;
}

/** Turns records back into the data of entries; to be given every record of a group in order. */
export class RecordReader {
  #isInBareParts = false;

  data({ kind, payload, index }: WalRecord): Uint8Array | undefined {
    if (kind === recordKind.entry) return payload.length === 0 ? undefined : payload;
    if (kind === recordKind.bare) {
      const form = this.#isInBareParts ? entryForm.middlePart : entryForm.firstPart;
      this.#isInBareParts = true;
      return concatBytes(Uint8Array.of(form), payload);
    }
    if (kind !== recordKind.command)
      throw themisError('FORMAT_UNKNOWN', {
        message: `log record ${index} is of kind ${kind}; 1 to 3 are known here`,
      });
    if (!this.#isInBareParts) return payload;
    this.#isInBareParts = false;
    return concatBytes(Uint8Array.of(entryForm.lastPart), payload);
  }
}
