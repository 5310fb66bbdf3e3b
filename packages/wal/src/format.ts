import { crc32c, equalBytes, utf8Encode } from '@themisdb/base';

/**
 * The file format, version 1. All integers are big-endian.
 *
 * A segment is `segment-NNNNNNNNNN.wal`, numbered from 1 without holes. It starts with a header block
 * of 4096 bytes of which the first 48 are used (magic, version and checksum keep their place in every
 * version to come), and is zero where nothing was written yet:
 *
 * | offset | bytes | field |
 * |---|---|---|
 * | 0 | 8 | magic `THEMWAL` and a zero byte |
 * | 8 | 4 | format version |
 * | 12 | 4 | crc32c of bytes 16-47, started with the format version |
 * | 16 | 4 | segment number |
 * | 20 | 4 | salt, random per segment |
 * | 24 | 8 | zero |
 * | 32 | 16 | store id |
 *
 * Then frames, each starting at a multiple of 8, the gap being zero:
 *
 * | offset | bytes | field |
 * |---|---|---|
 * | 0 | 4 | crc32c of bytes 4-39, started with salt xor file offset |
 * | 4 | 4 | payload bytes |
 * | 8 | 4 | crc32c of the payload |
 * | 12 | 4 | file offset of the first frame of the batch this frame was written with |
 * | 16 | 4 | group |
 * | 20 | 1 | frame type |
 * | 21 | 1 | kind |
 * | 22 | 2 | zero |
 * | 24 | 8 | term |
 * | 32 | 8 | index |
 *
 * The salt and the offset in the checksum make a frame worthless in any other place: left-overs of
 * another file, misdirected writes and payloads that look like frames are all refused. The batch
 * offset tells how far the log was synced when the frame was written: a batch is written only when
 * all before it is durable.
 */
export const formatVersion = 1;

export const headerBlockBytes = 4096;
export const headerBytes = 48;
export const frameHeaderBytes = 40;
export const storeIdBytes = 16;
export const payloadBytesMax: number = 64 * 1024 * 1024;
/** Of all frames of one append. */
export const appendBytesMax: number = 256 * 1024 * 1024;

export const frameType = {
  /** A record of the owner; cuts the group's later records off. */
  record: 1,
  /** A record moved here from an older segment; cuts nothing. */
  carried: 2,
  /** The group's records below `index` are not needed any more. */
  truncated: 3,
  /** First frame of a segment: `group` is the last segment before that holds frames, `index` its end. */
  rolled: 4,
  /** The log was closed in order: all before this frame had been synced. */
  closed: 5,
} as const;

const frameTypeMax = 5;

export interface FrameHeader {
  readonly payloadBytes: number;
  readonly payloadCrc: number;
  readonly batchStart: number;
  readonly group: number;
  readonly type: number;
  readonly kind: number;
  readonly term: number;
  readonly index: number;
}

export function frameBytes(payloadBytes: number): number {
  return (frameHeaderBytes + payloadBytes + 7) & ~7;
}

export interface FrameFields {
  readonly type: number;
  readonly group: number;
  readonly index: number;
  readonly term: number;
  readonly kind: number;
  readonly payload: Uint8Array;
}

/** Where a frame is going to stand in its segment: part of its checksum. */
export interface FramePlace {
  readonly salt: number;
  readonly fileOffset: number;
  readonly batchStart: number;
}

/** Writes a frame at `at`; the bytes up to `at + frameBytes` are all set. */
export function encodeFrame(
  out: Uint8Array,
  view: DataView,
  at: number,
  frame: FrameFields,
  place: FramePlace,
): void {
  const { payload } = frame;
  view.setUint32(at + 4, payload.length);
  view.setUint32(at + 8, crc32c(payload));
  view.setUint32(at + 12, place.batchStart);
  view.setUint32(at + 16, frame.group);
  view.setUint8(at + 20, frame.type);
  view.setUint8(at + 21, frame.kind);
  view.setUint16(at + 22, 0);
  setU53(view, at + 24, frame.term);
  setU53(view, at + 32, frame.index);
  view.setUint32(at, frameCrc(out, at, place.salt, place.fileOffset));
  const end = at + frameHeaderBytes + payload.length;
  out.set(payload, at + frameHeaderBytes);
  out.fill(0, end, at + frameBytes(payload.length));
}

/**
 * The frame header at `at`, or undefined when there is none: its checksum fails or the bytes end
 * before it does. The payload is not looked at.
 */
export function tryDecodeHeader(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  salt: number,
  fileOffset: number,
): FrameHeader | undefined {
  if (at + frameHeaderBytes > bytes.length) return undefined;
  const type = bytes[at + 20]!;
  if (type === 0 || type > frameTypeMax) return undefined;
  if (view.getUint32(at) !== frameCrc(bytes, at, salt, fileOffset)) return undefined;
  const payloadBytes = view.getUint32(at + 4);
  if (payloadBytes > payloadBytesMax) return undefined;
  return {
    payloadBytes,
    payloadCrc: view.getUint32(at + 8),
    batchStart: view.getUint32(at + 12),
    group: view.getUint32(at + 16),
    type,
    kind: bytes[at + 21]!,
    term: getU53(view, at + 24),
    index: getU53(view, at + 32),
  };
}

export interface SegmentHeader {
  readonly version: number;
  readonly number: number;
  readonly salt: number;
  readonly storeId: Uint8Array;
}

export function encodeSegmentHeader(header: Omit<SegmentHeader, 'version'>): Uint8Array {
  const out = new Uint8Array(headerBlockBytes);
  const view = viewOf(out);
  out.set(magic);
  view.setUint32(8, formatVersion);
  view.setUint32(16, header.number);
  view.setUint32(20, header.salt);
  out.set(header.storeId, 32);
  view.setUint32(12, crc32c(out, 16, headerBytes, formatVersion));
  return out;
}

/** Undefined when the bytes are not an intact header of any version. */
export function tryDecodeSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  if (bytes.length < headerBlockBytes || !equalBytes(bytes.subarray(0, 8), magic)) return undefined;
  const view = viewOf(bytes);
  const version = view.getUint32(8);
  if (view.getUint32(12) !== crc32c(bytes, 16, headerBytes, version)) return undefined;
  const [number, salt] = [view.getUint32(16), view.getUint32(20)];
  return { version, number, salt, storeId: bytes.slice(32, 32 + storeIdBytes) };
}

const magic: Uint8Array = utf8Encode('THEMWAL\0');

export function segmentName(number: number): string {
  return `segment-${String(number).padStart(10, '0')}.wal`;
}

export function trySegmentNumber(name: string): number | undefined {
  const match = /^segment-(\d{10})\.wal$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function frameCrc(bytes: Uint8Array, at: number, salt: number, fileOffset: number): number {
  return crc32c(bytes, at + 4, at + frameHeaderBytes, salt ^ fileOffset);
}

function setU53(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / 0x1_0000_0000));
  view.setUint32(at + 4, value >>> 0);
}

function getU53(view: DataView, at: number): number {
  return view.getUint32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
}
