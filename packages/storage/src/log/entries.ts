import { assert, concatBytes } from '@themisdb/base';

/**
 * A command as entries of the log. The first byte of an entry tells what it is:
 *
 * - 1: a whole command (it is the first byte of the command's own format);
 * - 2, 3, 4: first, middle and last part of a command longer than one entry may be; the part follows.
 *
 * The command's index is that of its last entry. Parts without an end were never acknowledged: they are
 * forgotten when anything but the next part follows.
 */
export const entryForm = { command: 1, firstPart: 2, middlePart: 3, lastPart: 4 } as const;

/** What one entry may hold of a command. Who reads entries need not know it. */
export const partBytesDefault: number = 32 * 1024 * 1024;

/** How many entries a command of this length takes. */
export function entriesNeeded(payloadBytes: number, partBytesMax: number): number {
  return Math.max(1, Math.ceil(payloadBytes / partBytesMax));
}

export function entriesOf(payload: Uint8Array, partBytesMax: number): readonly Uint8Array[] {
  assert(payload[0] === entryForm.command, 'a command starts with its format');
  const count = entriesNeeded(payload.length, partBytesMax);
  if (count === 1) return [payload];
  return Array.from({ length: count }, (_, i) => {
    const form =
      i === 0 ? entryForm.firstPart : i === count - 1 ? entryForm.lastPart : entryForm.middlePart;
    const part = payload.subarray(i * partBytesMax, (i + 1) * partBytesMax);
    return concatBytes(Uint8Array.of(form), part);
  });
}

/** Puts parts together: call with every entry in order; gives the command when it is whole. */
export class PartCollector {
  #parts: Uint8Array[] = [];

  /** Whether a command has begun and not ended. */
  get isOpen(): boolean {
    return this.#parts.length > 0;
  }

  clear(): void {
    this.#parts = [];
  }

  add(data: Uint8Array | undefined): Uint8Array | undefined {
    const form = data?.[0];
    if (form === entryForm.firstPart) this.#parts = [data!.subarray(1)];
    else if (form === entryForm.middlePart || form === entryForm.lastPart) {
      if (this.#parts.length === 0) return undefined;
      this.#parts.push(data!.subarray(1));
      if (form === entryForm.lastPart) return this.#take();
    } else {
      this.#parts = [];
      return data;
    }
    return undefined;
  }

  #take(): Uint8Array {
    const payload = concatBytes(...this.#parts);
    this.#parts = [];
    return payload;
  }
}
