import { assert, makeObject, utf8Decode, type TextPosition, type Value } from '@themisdb/base';
import { themisError, type ErrorCode } from './errors.ts';
import { NameTrie, type NameNode } from './json-names.ts';
import { firstLoneSurrogate, firstInvalidUtf8 } from './json-text.ts';

/** Both bounds are stated in the error text when they are hit. */
export interface JsonLimits {
  /** Arrays and objects inside each other; at most 1,000. */
  readonly depthMax: number;
  /** Attributes of one object. */
  readonly attributesMax: number;
}

export const jsonLimits: JsonLimits = { depthMax: 128, attributesMax: 10_000 };
const depthCeiling = 1000;

/**
 * Strict JSON (RFC 8259) to engine values, in one pass. Stricter than JSON.parse where that loses
 * something in silence, and each fault has its code and position:
 *
 * - BAD_JSON: not the grammar. BAD_UTF8: ill-formed bytes, or a lone surrogate, escaped ones included.
 * - NUMBER_OUT_OF_RANGE: past the double range (1e400, and 1e-400, which would become 0), or an
 *   integer that no double holds exactly. Decimal fractions take the nearest double, as everywhere.
 * - DUPLICATE_ATTRIBUTE: the same name twice in one object.
 * - LIMIT_EXCEEDED: nesting or number of attributes.
 *
 * Every name is ordinary, `__proto__` too. Messages name positions, never the text around them.
 */
export function parseJson(input: string | Uint8Array, limits?: Partial<JsonLimits>): Value {
  const text = typeof input === 'string' ? input : decodeUtf8(input);
  if (typeof input === 'string') checkSurrogates(input);
  return parserFor(limits).parse(text, 0, text.length);
}

let shared: JsonParser | undefined;

/** Parsing is synchronous, so all who keep the default limits share one parser and its names. */
function parserFor(limits: Partial<JsonLimits> | undefined): JsonParser {
  if (limits !== undefined) return new JsonParser(limits);
  return (shared ??= new JsonParser());
}

/**
 * The text of a value. JSON.stringify serves engine objects as they are; the sign of -0 is lost, as
 * in every JSON written by JavaScript.
 */
export function stringifyJson(value: Value): string {
  return JSON.stringify(value);
}

/** Throws BAD_UTF8 with the offset of the first byte that does not fit. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8Decode(bytes);
  } catch {
    const offset = firstInvalidUtf8(bytes);
    throw themisError('BAD_UTF8', {
      message: `the text is not well-formed UTF-8 at byte ${offset}`,
      details: { offset },
    });
  }
}

function checkSurrogates(text: string): void {
  const offset = firstLoneSurrogate(text);
  if (offset === undefined) return;
  throw themisError('BAD_UTF8', {
    message: `the text holds a lone surrogate at offset ${offset}`,
    position: positionOf(text, 0, offset),
  });
}

/** Counts lines only when there is a fault to report. */
function positionOf(text: string, start: number, offset: number): TextPosition {
  let line = 1;
  let lineStart = start;
  for (
    let at = text.indexOf('\n', start);
    at !== -1 && at < offset;
    at = text.indexOf('\n', at + 1)
  ) {
    line++;
    lineStart = at + 1;
  }
  return { line, column: offset - lineStart + 1, offset: offset - start };
}

/**
 * Reusable: keeps the attribute names it has seen, so that many documents of one shape parse faster.
 * The text must be well-formed Unicode (`decodeUtf8` guarantees it). Not reentrant, and has no need to be.
 */
export class JsonParser {
  readonly #depthMax: number;
  readonly #attributesMax: number;
  readonly #names = new NameTrie();
  #text = '';
  #start = 0;
  #end = 0;
  #at = 0;

  constructor(limits?: Partial<JsonLimits>) {
    this.#depthMax = limits?.depthMax ?? jsonLimits.depthMax;
    this.#attributesMax = limits?.attributesMax ?? jsonLimits.attributesMax;
    assert(this.#depthMax <= depthCeiling, () => `depthMax must be at most ${depthCeiling}`);
  }

  /** Parses exactly `text[start, end)`; positions of faults count from `start`. */
  parse(text: string, start: number, end: number): Value {
    this.#text = text;
    this.#start = start;
    this.#end = end;
    this.#at = start;
    try {
      const value = this.#value(this.#next(), 1);
      if (!Number.isNaN(this.#next())) this.#fault('nothing may follow the value');
      return value;
    } finally {
      this.#text = '';
    }
  }

  /** The code of the next character that is not white space, without taking it; NaN at the end. */
  #next(): number {
    let code = this.#at < this.#end ? this.#text.charCodeAt(this.#at) : NaN;
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
      this.#at++;
      code = this.#at < this.#end ? this.#text.charCodeAt(this.#at) : NaN;
    }
    return code;
  }

  #value(code: number, depth: number): Value {
    switch (code) {
      case 0x22:
        this.#at++;
        return this.#string();
      case 0x7b:
        return this.#object(depth);
      case 0x5b:
        return this.#array(depth);
      case 0x74:
        return this.#word('true', true);
      case 0x66:
        return this.#word('false', false);
      case 0x6e:
        return this.#word('null', null);
      default:
        return this.#number(code);
    }
  }

  #word(word: string, value: Value): Value {
    const at = this.#at;
    if (at + word.length > this.#end || !this.#text.startsWith(word, at)) {
      this.#fault('a value must be an object, array, string, number, true, false or null');
    }
    this.#at = at + word.length;
    return value;
  }

  #array(depth: number): Value {
    if (depth > this.#depthMax) this.#tooDeep();
    this.#at++;
    const out: Value[] = [];
    let code = this.#next();
    if (code === 0x5d) {
      this.#at++;
      return out;
    }
    for (;;) {
      out.push(this.#value(code, depth + 1));
      code = this.#next();
      if (code === 0x5d) break;
      if (code !== 0x2c) this.#fault('an array goes on with "," or ends with "]"');
      this.#at++;
      code = this.#next();
    }
    this.#at++;
    return out;
  }

  #object(depth: number): Value {
    if (depth > this.#depthMax) this.#tooDeep();
    this.#at++;
    const out = makeObject();
    let code = this.#next();
    if (code === 0x7d) {
      this.#at++;
      return out;
    }
    let node: NameNode | undefined = this.#names.root;
    let count = 0;
    for (;;) {
      if (code !== 0x22) this.#fault('an attribute name must be a string in double quotes');
      const nameAt = this.#at;
      this.#at++;
      // Two ways to a name: the one that came next last time, compared in place; or read anew.
      // A name in the trie was compared with those before it when it was put there.
      let name: string;
      const guess: NameNode | undefined = node === undefined ? undefined : node.likely;
      if (guess !== undefined && this.#text.startsWith(guess.quoted, this.#at)) {
        name = guess.name;
        this.#at += guess.quoted.length;
        node = guess;
      } else {
        name = this.#string();
        const known: NameNode | undefined = this.#names.child(node, name);
        if (known !== undefined) {
          name = known.name;
          node = known;
        } else {
          if (out[name] !== undefined) this.#duplicate(nameAt);
          node = this.#names.grow(node, name);
        }
      }
      if (++count > this.#attributesMax) this.#tooMany(nameAt);
      if (this.#next() !== 0x3a) this.#fault('an attribute name is followed by ":"');
      this.#at++;
      out[name] = this.#value(this.#next(), depth + 1);
      code = this.#next();
      if (code === 0x7d) break;
      if (code !== 0x2c) this.#fault('an object goes on with "," or ends with "}"');
      this.#at++;
      code = this.#next();
    }
    this.#at++;
    return out;
  }

  /** After the opening quote. Without escapes the string is a slice of the text. */
  #string(): string {
    const text = this.#text;
    const start = this.#at;
    const end = this.#end;
    let at = start;
    for (; at < end; at++) {
      const code = text.charCodeAt(at);
      if (code === 0x22) {
        this.#at = at + 1;
        return text.slice(start, at);
      }
      if (code === 0x5c) break;
      if (code < 0x20) {
        this.#at = at;
        this.#fault('a control character in a string must be escaped');
      }
    }
    this.#at = at;
    return this.#escapedString(start);
  }

  #escapedString(start: number): string {
    const text = this.#text;
    let out = '';
    let from = start;
    for (;;) {
      if (this.#at >= this.#end) this.#fault('a string has no closing quote');
      const code = text.charCodeAt(this.#at);
      if (code === 0x22) break;
      if (code < 0x20) this.#fault('a control character in a string must be escaped');
      if (code !== 0x5c) {
        this.#at++;
        continue;
      }
      out += text.slice(from, this.#at) + this.#escape();
      from = this.#at;
    }
    out += text.slice(from, this.#at);
    this.#at++;
    return out;
  }

  /** At the backslash; leaves `#at` behind the escape. */
  #escape(): string {
    const at = this.#at;
    const letter = at + 1 < this.#end ? this.#text[at + 1]! : '';
    const plain = escapes[letter];
    if (plain !== undefined) {
      this.#at = at + 2;
      return plain;
    }
    if (letter !== 'u')
      this.#fault('an escape must be one of \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX');
    const unit = this.#hex4(at + 2);
    this.#at = at + 6;
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
    const paired =
      unit <= 0xdbff &&
      at + 7 < this.#end &&
      this.#text[at + 6] === '\\' &&
      this.#text[at + 7] === 'u';
    const low = paired ? this.#hex4(at + 8) : 0;
    if (low < 0xdc00 || low > 0xdfff) {
      this.#raise('BAD_UTF8', 'an escaped surrogate has no partner', at);
    }
    this.#at = at + 12;
    return String.fromCharCode(unit, low);
  }

  #hex4(at: number): number {
    let out = 0;
    for (let i = at; i < at + 4; i++) {
      const digit = i < this.#end ? hexDigit(this.#text.charCodeAt(i)) : -1;
      if (digit < 0) {
        this.#at = Math.min(i, this.#end);
        this.#fault('\\u takes four hexadecimal digits');
      }
      out = out * 16 + digit;
    }
    return out;
  }

  #number(first: number): number {
    const text = this.#text;
    const end = this.#end;
    const start = this.#at;
    let at = start;
    let code = first;
    if (code === 0x2d) code = ++at < end ? text.charCodeAt(at) : NaN;
    if (!isDigit(code)) {
      this.#at = at;
      this.#fault(
        at === start
          ? 'a value must be an object, array, string, number, true, false or null'
          : 'a minus sign is followed by a digit',
      );
    }
    const digitsAt = at;
    let whole = 0;
    do {
      whole = whole * 10 + (code - 0x30);
      code = ++at < end ? text.charCodeAt(at) : NaN;
    } while (isDigit(code));
    const digits = at - digitsAt;
    if (digits > 1 && text.charCodeAt(digitsAt) === 0x30)
      this.#fault('a number has no leading zeros');
    this.#at = at;
    if (code === 0x2e || code === 0x65 || code === 0x45) return this.#fraction(start);
    if (digits <= 15) return digitsAt === start ? whole : -whole;
    const value = Number(text.slice(start, at));
    if (!Number.isFinite(value)) this.#raise('NUMBER_OUT_OF_RANGE', tooLarge, start);
    if (!Number.isSafeInteger(value) && BigInt(value) !== BigInt(text.slice(start, at))) {
      this.#raise('NUMBER_OUT_OF_RANGE', 'an integer beyond 2^53 cannot be held exactly', start);
    }
    return value;
  }

  /** At the "." or "e". */
  #fraction(start: number): number {
    const text = this.#text;
    if (text.charCodeAt(this.#at) === 0x2e) {
      this.#at++;
      this.#digits('a decimal point is followed by a digit');
    }
    const code = this.#at < this.#end ? text.charCodeAt(this.#at) : NaN;
    if (code === 0x65 || code === 0x45) {
      this.#at++;
      const sign = this.#at < this.#end ? text.charCodeAt(this.#at) : NaN;
      if (sign === 0x2b || sign === 0x2d) this.#at++;
      this.#digits('an exponent needs digits');
    }
    const literal = text.slice(start, this.#at);
    const value = Number(literal);
    if (!Number.isFinite(value)) this.#raise('NUMBER_OUT_OF_RANGE', tooLarge, start);
    if (value === 0 && /^[^eE]*[1-9]/.test(literal)) {
      this.#raise('NUMBER_OUT_OF_RANGE', 'a number other than 0 is too small to be held', start);
    }
    return value;
  }

  #digits(expectation: string): void {
    const start = this.#at;
    while (this.#at < this.#end && isDigit(this.#text.charCodeAt(this.#at))) this.#at++;
    if (this.#at === start) this.#fault(expectation);
  }

  #fault(expectation: string): never {
    const what = this.#at >= this.#end ? 'the text ends too early: ' : '';
    this.#raise('BAD_JSON', what + expectation, this.#at);
  }

  #duplicate(at: number): never {
    this.#raise('DUPLICATE_ATTRIBUTE', 'an object names the same attribute twice', at);
  }

  #tooDeep(): never {
    const message = `arrays and objects may be nested ${this.#depthMax} deep`;
    this.#raise('LIMIT_EXCEEDED', message, this.#at, { limit: 'depth', max: this.#depthMax });
  }

  #tooMany(at: number): never {
    const message = `an object may have ${this.#attributesMax} attributes`;
    this.#raise('LIMIT_EXCEEDED', message, at, { limit: 'attributes', max: this.#attributesMax });
  }

  #raise(code: ErrorCode, why: string, at: number, details?: Record<string, unknown>): never {
    const position = positionOf(this.#text, this.#start, Math.min(at, this.#end));
    throw themisError(code, {
      message: `JSON at line ${position.line}, column ${position.column}: ${why}`,
      position,
      ...(details === undefined ? {} : { details }),
    });
  }
}

const tooLarge = 'a number is beyond the range of a double (about 1.8e308)';

const escapes: Readonly<Record<string, string | undefined>> = Object.assign(
  Object.create(null) as Record<string, string>,
  { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' },
);

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
