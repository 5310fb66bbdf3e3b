import { crc32c, isArray, makeObject, toHex, utf8Encode, type Value } from '@themisdb/base';
import { isThemisError } from '@themisdb/base';
import { parseJson, sha1, themisError } from '@themisdb/protocol';
import type { EvaluationContext } from '../expression/contract.ts';
import { jsonText, toInteger, toText } from '../expression/convert.ts';
import type { AqlFunction } from './contract.ts';
import { define, define1, perRun, wrongType } from './define.ts';
import { fnv1a64 } from './hash/fnv.ts';
import { md5 } from './hash/md5.ts';
import { sha256, sha512 } from './hash/sha2.ts';

function bytesOf(value: Value): Uint8Array {
  return utf8Encode(toText(value));
}

const base64Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Base64 with padding (RFC 4648, section 4). */
export function toBase64(bytes: Uint8Array): string {
  let out = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    for (let shift = 18; shift >= 0; shift -= 6) out += base64Alphabet[(group >> shift) & 63]!;
  }
  const missing = (3 - (bytes.length % 3)) % 3;
  return out.slice(0, out.length - missing) + '='.repeat(missing);
}

function jsonParse(value: Value, context: EvaluationContext): Value {
  if (typeof value !== 'string') return wrongType(context, 'JSON_PARSE');
  context.charge(value.length * 4);
  try {
    return parseJson(value);
  } catch (error) {
    if (!isThemisError(error)) throw error;
    return wrongType(context, 'JSON_PARSE', `${error.code}: ${error.message}`);
  }
}

/** Attributes in the order of their names and whole numbers only one way: equal values, equal text. */
function canonicalJson(value: Value): string {
  return JSON.stringify(value, (_name, item: Value) => {
    if (typeof item !== 'object' || item === null || isArray(item)) return item;
    const sorted = makeObject();
    for (const name of Object.keys(item).sort()) sorted[name] = item[name]!;
    return sorted;
  });
}

const tokenCharacters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const tokenLengthMax = 65_536;

function randomToken(value: Value, context: EvaluationContext): Value {
  const length = toInteger(value);
  if (length < 0 || length > tokenLengthMax) {
    throw themisError('AQL_INVALID_ARGUMENT', {
      message: `RANDOM_TOKEN() makes tokens of 0 to ${String(tokenLengthMax)} characters, not ${String(length)}.`,
    });
  }
  let out = '';
  while (out.length < length) {
    for (const byte of context.randomBytes(length - out.length)) {
      // 248 is the largest multiple of 62 a byte can hold: no character is likelier than another.
      if (byte < 248) out += tokenCharacters[byte % 62]!;
    }
  }
  return out;
}

/** A random UUID (RFC 9562, version 4). */
function uuid(context: EvaluationContext): string {
  const bytes = context.randomBytes(16).slice();
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = toHex(bytes);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}

export const encodingFunctions: readonly AqlFunction[] = [
  define1('JSON_STRINGIFY(value) → string', 'The JSON text of a value.', (value) =>
    jsonText(value),
  ),
  define1(
    'JSON_PARSE(text) → any',
    'The value of a JSON text; null and a warning if it is none.',
    jsonParse,
  ),
  define1('ENCODE_URI_COMPONENT(text) → string', 'Percent-encoded for a URI component.', (text) =>
    encodeURIComponent(toText(text)),
  ),
  define1('TO_BASE64(text) → string', 'The UTF-8 bytes in base64.', (text) =>
    toBase64(bytesOf(text)),
  ),
  define1('TO_HEX(text) → string', 'The UTF-8 bytes in hexadecimal.', (text) =>
    toHex(bytesOf(text)),
  ),
  define1('MD5(text) → string', 'The MD5 checksum in hexadecimal.', (text) =>
    toHex(md5(bytesOf(text))),
  ),
  define1('SHA1(text) → string', 'The SHA-1 checksum in hexadecimal.', (text) =>
    toHex(sha1(bytesOf(text))),
  ),
  define1('SHA256(text) → string', 'The SHA-256 checksum in hexadecimal.', (text) =>
    toHex(sha256(bytesOf(text))),
  ),
  define1('SHA512(text) → string', 'The SHA-512 checksum in hexadecimal.', (text) =>
    toHex(sha512(bytesOf(text))),
  ),
  define1('CRC32(text) → string', 'The CRC-32C checksum in hexadecimal.', (text) =>
    crc32c(bytesOf(text)).toString(16).toUpperCase(),
  ),
  define1('FNV64(text) → string', 'The FNV-1a hash of 64 bits in hexadecimal.', (text) =>
    fnv1a64(bytesOf(text)).toString(16).toUpperCase(),
  ),
  define1(
    'HASH(value) → number',
    'A hash of 51 bits of any value; equal values have equal hashes.',
    (value) => Number(fnv1a64(utf8Encode(canonicalJson(value))) & 0x7_ffff_ffff_ffffn),
  ),
  perRun(define1('RANDOM_TOKEN(length) → string', 'Random letters and digits.', randomToken)),
  perRun(define('UUID() → string', 'A random UUID.', (_values, context) => uuid(context))),
];
