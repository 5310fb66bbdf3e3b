/**
 * The frame: `[u32 length][u8 type][u8 flags][u32 call id][body]`, big-endian; `length` counts all that
 * follows it. docs/internals/frames.md has every body byte by byte; a number once given is never reused.
 */
export const frameTypes = {
  hello: 0x01,
  goodbye: 0x02,
  ping: 0x03,
  pong: 0x04,
  /** The rest of a message whose last frame had the flag `more`. */
  continuation: 0x05,
  /** u16 operation, body. Call id 0. */
  message: 0x10,
  /** u16 operation, u32 deadline, body. */
  request: 0x11,
  requestChunk: 0x12,
  cancel: 0x13,
  /** u32 bytes: the caller may be sent so many more of the answer. */
  answerCredit: 0x14,
  answer: 0x20,
  answerChunk: 0x21,
  error: 0x22,
  /** u32 bytes: the caller may send so many more of the request. */
  requestCredit: 0x23,
} as const;

export type FrameType = (typeof frameTypes)[keyof typeof frameTypes];

export const frameFlags = {
  /** Nothing more comes this way for this call. */
  end: 0x01,
  /** The body goes on in `continuation` frames, to the first without this flag. */
  more: 0x02,
  /** Kept for authenticated frames: the last bytes of the frame are a MAC. Refused by this version. */
  mac: 0x80,
} as const;

/** Type, flags and call id: the least that `length` may say. */
export const headBytes = 6;
export const lengthBytes = 4;
/** The longest fixed part at the start of a body: operation and deadline. */
export const fixedBytesMax = 6;

/** Bytes between the head and the free part of the body. */
export function fixedBytesOf(type: number): number {
  switch (type) {
    case frameTypes.message:
      return 2;
    case frameTypes.request:
      return 6;
    case frameTypes.answerCredit:
    case frameTypes.requestCredit:
      return 4;
    default:
      return 0;
  }
}

/** Whether the frame goes from who made the call to who serves it. */
export function isFromCaller(type: number): boolean {
  return type >= frameTypes.request && type <= frameTypes.answerCredit;
}
