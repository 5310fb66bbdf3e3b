/** Offset of the first byte that does not fit the UTF-8 grammar (Unicode 15, table 3-7). */
export function firstInvalidUtf8(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) return at;
    at += length;
  }
  return at;
}

/** Length of the well-formed sequence at `at`, or 0 when there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const secondMin = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const secondMax = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  const second = bytes[at + 1] ?? 0;
  if (second < secondMin || second > secondMax) return 0;
  for (let i = 2; i < length; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

/** Offset in UTF-16 code units of the first surrogate without a partner; undefined when all have one. */
export function firstLoneSurrogate(text: string): number | undefined {
  if ((text as WellFormedText).isWellFormed?.() === true) return undefined;
  const at = text.search(loneSurrogate);
  return at === -1 ? undefined : at;
}

// ES2024, in Node from version 20 on; the search below serves where it is missing.
type WellFormedText = string & { isWellFormed?(): boolean };

const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
