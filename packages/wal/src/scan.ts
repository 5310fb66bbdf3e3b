import { crc32c } from '@themisdb/base';
import {
  frameBytes,
  frameHeaderBytes,
  headerBlockBytes,
  tryDecodeHeader,
  viewOf,
  type FrameHeader,
} from './format.ts';
import type { Segment } from './segment.ts';

const windowBytes: number = 1024 * 1024;

export interface ScannedFrame {
  readonly header: FrameHeader;
  readonly offset: number;
  readonly bytes: number;
  /** A view that is good during the visit only. */
  readonly payload: Uint8Array;
}

/**
 * Visits the frames of a segment from its start, in order; awaits what a visit returns. Answers with
 * the offset where the first thing stands that is no intact frame, or no successor of the one before.
 */
export async function scanFrames(
  segment: Segment,
  visit: (frame: ScannedFrame) => Promise<void> | void,
): Promise<number> {
  let offset = headerBlockBytes;
  let batchStart = 0;
  let wanted = windowBytes;
  for (;;) {
    const bytes = await segment.file.read(offset, wanted);
    const view = viewOf(bytes);
    const isLast = bytes.length < wanted;
    wanted = windowBytes;
    let at = 0;
    for (;;) {
      const header = tryDecodeHeader(bytes, view, at, segment.salt, offset + at);
      if (header === undefined) {
        if (isLast || at + frameHeaderBytes <= bytes.length) return offset + at;
        break;
      }
      const size = frameBytes(header.payloadBytes);
      const from = at + frameHeaderBytes;
      const to = from + header.payloadBytes;
      if (to > bytes.length) {
        if (isLast) return offset + at;
        wanted = Math.max(windowBytes, size);
        break;
      }
      const follows = header.batchStart === offset + at || header.batchStart === batchStart;
      if (!follows || crc32c(bytes, from, to) !== header.payloadCrc) return offset + at;
      const payload = bytes.subarray(from, to);
      const waited = visit({ header, offset: offset + at, bytes: size, payload });
      if (waited !== undefined) await waited;
      batchStart = header.batchStart;
      at += size;
    }
    offset += at;
  }
}

export interface Rest {
  /** The last byte that is not zero lies before this offset; `from` when all are zero. */
  readonly end: number;
  /** A frame of a batch begun behind `from` stands there: all before it had been synced. */
  readonly hasLaterBatch: boolean;
}

/** Looks through what follows the last intact frame, which ends at `from`. */
export async function inspectRest(segment: Segment, from: number): Promise<Rest> {
  let end = from;
  for (let start = from; ; start += windowBytes) {
    // Windows overlap by one header, so that none is missed between two.
    const bytes = await segment.file.read(start, windowBytes + frameHeaderBytes);
    const used = usedLength(bytes);
    if (used > 0) {
      end = start + used;
      if (holdsLaterBatch(bytes, start, from, segment.salt)) return { end, hasLaterBatch: true };
    }
    if (bytes.length < windowBytes + frameHeaderBytes) return { end, hasLaterBatch: false };
  }
}

function holdsLaterBatch(bytes: Uint8Array, start: number, from: number, salt: number): boolean {
  const view = viewOf(bytes);
  for (let at = 0; at + frameHeaderBytes <= bytes.length; at += 8) {
    const header = tryDecodeHeader(bytes, view, at, salt, start + at);
    if (header !== undefined && header.batchStart > from) return true;
  }
  return false;
}

/** Length without the zeros at the end. */
function usedLength(bytes: Uint8Array): number {
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === 0) length--;
  return length;
}
