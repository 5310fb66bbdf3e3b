import type { Timestamp } from '../contract/transaction.ts';
import { openValue, sealValue } from '../catalog/catalog-codec.ts';
import type { Value } from '@themisdb/base';

/** What of the past has been given up; part of replicated state. */
export interface Retained {
  /** Moments before this one cannot be read any more. */
  readonly historyStart: Timestamp;
  /** History superseded by commands up to this log index is gone. */
  readonly historyIndex: number;
  /** Changes up to this log index cannot be read any more. */
  readonly trimmedIndex: number;
}

export const allRetained: Retained = { historyStart: 0n, historyIndex: 0, trimmedIndex: 0 };

export function encodeRetained({ historyStart, historyIndex, trimmedIndex }: Retained): Uint8Array {
  const words = [Number(historyStart >> 32n), Number(historyStart & 0xffffffffn)];
  return sealValue([...words, historyIndex, trimmedIndex]);
}

export function decodeRetained(bytes: Uint8Array | undefined): Retained {
  if (bytes === undefined) return allRetained;
  const [high, low, historyIndex, trimmedIndex] = openValue(
    bytes,
    'the retention record',
  ) as readonly Value[] as readonly number[];
  return {
    historyStart: (BigInt(high!) << 32n) | BigInt(low!),
    historyIndex: historyIndex!,
    trimmedIndex: trimmedIndex!,
  };
}
