/**
 * Bytes as a double-quoted string: UTF-8 that can be printed stands as it is, the rest is escaped, so
 * that the text tells the bytes exactly. (The rules of `%q` in Go's fmt package.)
 */
export function quoteBytes(bytes: Uint8Array): string {
  let out = '"';
  let at = 0;
  while (at < bytes.length) {
    const { text, length } = quoteAt(bytes, at);
    out += text;
    at += length;
  }
  return `${out}"`;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\x07', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
  ['"', '\\"'],
  ['\\', '\\\\'],
]);

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

function quoteAt(bytes: Uint8Array, at: number): { text: string; length: number } {
  const length = sequenceLength(bytes[at]!);
  const character = decodeOne(bytes.subarray(at, at + length));
  if (character === undefined) return { text: `\\x${hex(bytes[at]!, 2)}`, length: 1 };
  const escape = ESCAPES.get(character);
  if (escape !== undefined) return { text: escape, length };
  if (PRINTABLE.test(character)) return { text: character, length };
  const code = character.codePointAt(0)!;
  if (code < 0x80) return { text: `\\x${hex(code, 2)}`, length };
  return { text: code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`, length };
}

function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

/** One whole character, or undefined where the bytes are not valid UTF-8. */
function decodeOne(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const character = [...text][0];
  const isWhole = character !== undefined && text === character && character !== '\ufffd';
  const isEncodedReplacement = bytes.length === 3 && bytes[0] === 0xef && bytes[1] === 0xbf;
  return isWhole || (isEncodedReplacement && text === '\ufffd') ? character : undefined;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
