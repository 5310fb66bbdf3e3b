import { utf8Encode } from '@themisdb/base';
import { sha1, sha1InPlace } from './sha1.ts';

/** 36 characters, lower case, of any RFC 9562 version. */
export type Uuid = string & { readonly __uuid: unique symbol };

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isUuid(text: string): text is Uuid {
  return text.length === 36 && uuidPattern.test(text);
}

/** Lower-cases on the way in; undefined when `text` is no UUID. */
export function tryUuid(text: string): Uuid | undefined {
  if (text.length !== 36) return undefined;
  const lower = text.toLowerCase();
  return isUuid(lower) ? lower : undefined;
}

const digits = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

export function uuidFromBytes(b: Uint8Array, at = 0): Uuid {
  const d = (i: number): string => digits[b[at + i]!]!;
  return (d(0) +
    d(1) +
    d(2) +
    d(3) +
    '-' +
    d(4) +
    d(5) +
    '-' +
    d(6) +
    d(7) +
    '-' +
    d(8) +
    d(9) +
    '-' +
    d(10) +
    d(11) +
    d(12) +
    d(13) +
    d(14) +
    d(15)) as Uuid;
}

function nibble(code: number): number {
  return code <= 57 ? code - 48 : code - 87;
}

/** Writes the 16 bytes of `uuid` into `target` at `at`. */
export function writeUuid(uuid: Uuid, target: Uint8Array, at = 0): void {
  let position = 0;
  for (let i = 0; i < 16; i++) {
    if (position === 8 || position === 13 || position === 18 || position === 23) position++;
    target[at + i] =
      (nibble(uuid.charCodeAt(position)) << 4) | nibble(uuid.charCodeAt(position + 1));
    position += 2;
  }
}

export function uuidBytes(uuid: Uuid): Uint8Array {
  const out = new Uint8Array(16);
  writeUuid(uuid, out);
  return out;
}

/** RFC 9562 §5.5: name-based, SHA-1. */
export function uuidV5(namespace: Uint8Array, name: string): Uuid {
  const text = utf8Encode(name);
  const input = new Uint8Array(16 + text.length);
  input.set(namespace);
  input.set(text, 16);
  return stamp(sha1(input), 5);
}

/** RFC 9562 §5.4: random. */
export function uuidV4(random: Uint8Array): Uuid {
  return stamp(random, 4);
}

function stamp(bytes: Uint8Array, version: number): Uuid {
  const out = bytes.slice(0, 16);
  out[6] = (out[6]! & 0x0f) | (version << 4);
  out[8] = (out[8]! & 0x3f) | 0x80;
  return uuidFromBytes(out);
}

// The root namespace for uuids computed from keys: uuidV5(DNS namespace, 'themisdb.org').
const rootNamespace: Uint8Array = uuidBytes(
  uuidV5(uuidBytes('6ba7b810-9dad-11d1-80b4-00c04fd430c8' as Uuid), 'themisdb.org'),
);

/** The UUID namespace of a collection: uuidV5(root, "namespace/collection"). */
export function collectionUuidNamespace(namespace: string, collection: string): Uint8Array {
  return uuidBytes(uuidV5(rootNamespace, `${namespace}/${collection}`));
}

/**
 * The uuid of a `_key`: the key itself, lower-cased, when it is a UUID; else its UUIDv5 in the
 * collection's namespace. No mapping table exists; every SDK computes the same.
 */
export function uuidOfKey(uuidNamespace: Uint8Array, key: string): Uuid {
  return tryUuid(key) ?? uuidV5(uuidNamespace, key);
}

/** Namespace, a key of at most 254 bytes, and the padding of the hash. */
const scratch = new Uint8Array(16 + 256 + 72);

/**
 * `uuidOfKey` for a key of at most 254 bytes that is at hand as UTF-8, `source[start, end)`: writes the
 * 16 bytes of the uuid to `target`.
 */
export function writeUuidOfKey(
  uuidNamespace: Uint8Array,
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): void {
  if (end - start === 36 && tryWriteUuid(source, start, target, at)) return;
  for (let i = 0; i < 16; i++) scratch[i] = uuidNamespace[i]!;
  for (let i = start; i < end; i++) scratch[16 + i - start] = source[i]!;
  sha1InPlace(scratch, 16 + end - start, target, at);
  target[at + 6] = (target[at + 6]! & 0x0f) | 0x50;
  target[at + 8] = (target[at + 8]! & 0x3f) | 0x80;
}

/** From 36 bytes of text; false, with `target` in disorder, when they are no uuid. */
function tryWriteUuid(source: Uint8Array, start: number, target: Uint8Array, at: number): boolean {
  let from = start;
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) if (source[from++] !== 0x2d) return false;
    const high = digitOf(source[from]!);
    const low = digitOf(source[from + 1]!);
    if ((high | low) < 0) return false;
    target[at + i] = (high << 4) | low;
    from += 2;
  }
  return true;
}

function digitOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

const hexCodes: readonly number[] = Array.from('0123456789abcdef', (each) => each.charCodeAt(0));

/** The text of the uuid at `source[at, at + 16)`, as 36 bytes. */
export function writeUuidText(
  source: Uint8Array,
  at: number,
  target: Uint8Array,
  targetAt: number,
): void {
  let to = targetAt;
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) target[to++] = 0x2d;
    const byte = source[at + i]!;
    target[to++] = hexCodes[byte >>> 4]!;
    target[to++] = hexCodes[byte & 15]!;
  }
}
