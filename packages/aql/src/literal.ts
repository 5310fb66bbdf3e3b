/**
 * The values of string and number tokens. Each function gives the value, or a text saying what is
 * wrong and at which offset of the query.
 */
export interface LiteralFault {
  readonly offset: number;
  readonly message: string;
  readonly outOfRange?: true;
}

export type Decoded<T> =
  { readonly ok: true; readonly value: T } | ({ readonly ok: false } & LiteralFault);

/** The text between the quotes at `start` and `end - 1`, escapes resolved. */
export function decodeQuoted(text: string, start: number, end: number): Decoded<string> {
  const raw = text.slice(start + 1, end - 1);
  if (!raw.includes('\\')) return wellFormed(raw, start, start + 1);
  return decodeEscapes(text, start, end);
}

const escapes: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** A backslash before any other character stands for that character, as in ArangoDB. */
function decodeEscapes(text: string, start: number, end: number): Decoded<string> {
  let out = '';
  let at = start + 1;
  while (at < end - 1) {
    const backslash = text.indexOf('\\', at);
    const stop = backslash < 0 || backslash >= end - 1 ? end - 1 : backslash;
    out += text.slice(at, stop);
    at = stop;
    if (at === end - 1) break;
    const escaped = text[at + 1]!;
    if (escaped === 'u') {
      const hex = text.slice(at + 2, Math.min(at + 6, end - 1));
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) {
        return { ok: false, offset: at, message: 'four hexadecimal digits must follow "\\u"' };
      }
      out += String.fromCharCode(Number.parseInt(hex, 16));
      at += 6;
    } else {
      out += Object.hasOwn(escapes, escaped) ? escapes[escaped]! : escaped;
      at += 2;
    }
  }
  return wellFormed(out, start, undefined);
}

const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** `textOffset` is where `value` stands in the query when it stands there letter by letter. */
function wellFormed(value: string, start: number, textOffset: number | undefined): Decoded<string> {
  if (!loneSurrogate.test(value)) return { ok: true, value };
  const offset = textOffset === undefined ? start : textOffset + value.search(loneSurrogate);
  return { ok: false, offset, message: 'the string holds half of a surrogate pair' };
}

/**
 * Decimal, `0x` or `0b`. Integers must be exact: one beyond 2^53 is taken only when a double holds
 * exactly that number. What overflows a double is refused; a fraction rounds like everywhere.
 */
export function decodeNumber(text: string, start: number, end: number): Decoded<number> {
  const raw = text.slice(start, end);
  const value = Number(raw);
  if (Number.isNaN(value)) {
    return { ok: false, offset: start, message: 'a binary number has digits 0 and 1 only' };
  }
  if (value > Number.MAX_SAFE_INTEGER && !isExact(raw, value)) {
    const message =
      value === Infinity
        ? 'the number is larger than a 64-bit floating point number can be'
        : 'the integer cannot be held exactly; beyond 2^53 write it as a string';
    return { ok: false, offset: start, message, outOfRange: true };
  }
  return { ok: true, value };
}

function isExact(raw: string, value: number): boolean {
  if (value === Infinity) return false;
  // A fraction or an exponent (but not the e of a hexadecimal number) says: a double is meant.
  if (!/^0[xX]/.test(raw) && /[.eE]/.test(raw)) return true;
  // Longer integers are beyond any double; BigInt would take quadratic time on them.
  return raw.length <= 1100 && BigInt(raw) === BigInt(value);
}
