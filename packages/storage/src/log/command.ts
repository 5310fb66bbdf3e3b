import { getU64 } from '../codec/integers.ts';
import { assert } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { KvOperation, KvWrite } from '@themisdb/kv';
import type { Timestamp } from '../contract/transaction.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { envelopeBytes, sealEnvelope } from '../envelope.ts';
import type { KeySpace } from '../keys.ts';

/**
 * A command is what one commit does to the engine, as bytes: applying it needs no clock, no catalog
 * and no reading, so that every replica and every replay ends in the same state.
 *
 * `[format u8 = 1][timestamp u64]`, then operations: a type byte, then
 * - 1 put: key, value; 2 delete: key; 3 delete range: gte, lt;
 * - 4 changes: value, put under the change key of the log index the command got;
 * each byte string preceded by its length as varint.
 *
 * How it stands in the log: `entries.ts`, which takes formats from 2 to 4 for itself.
 */
const format = 1;
const type = { put: 1, delete: 2, deleteRange: 3, changes: 4 } as const;

const arenaBytes = 256 * 1024;
let arena: ByteWriter = new ByteWriter(0);

/**
 * Commands are built one after the other and most are small: they share buffers, as making one costs
 * more than filling it. What was cut out of a buffer is never written again.
 */
function arenaFor(bytes: number): ByteWriter {
  if (arena.length + bytes > arena.bytes.length)
    arena = new ByteWriter(Math.max(arenaBytes, bytes));
  return arena;
}

export interface Command {
  readonly payload: Uint8Array;
  /** All but the changes, whose key depends on the log index. */
  readonly operations: readonly KvWrite[];
  readonly changes: Uint8Array | undefined;
}

/** Before the first operation of a command. */
export const commandHeaderBytes = 9;

/**
 * Puts that stand in a buffer as they do in a command, behind room for its header, and where what is in
 * them: see `KvPuts`. The buffer belongs to the command from then on.
 */
export interface CommandBlock {
  readonly out: ByteWriter;
  readonly places: Uint32Array;
}

/** Writes the beginning of a put, up to its value. Returns where the key starts. */
export function startPut(out: ByteWriter, keyBytes: number): number {
  out.u8(type.put);
  out.varint(keyBytes);
  return out.length;
}

/** A command as it is being built: its bytes, and at the same time what they mean to the engine. */
export class CommandWriter {
  readonly #out: ByteWriter;
  readonly #start: number;
  /** What `operationsOf` will make of the bytes; values of records are cut out at the end. */
  readonly #operations: KvWrite[] = [];
  readonly #records: { readonly at: number; readonly start: number; readonly end: number }[] = [];
  readonly #block: CommandBlock | undefined;
  #changes: Uint8Array | undefined;

  /** `sizeHint` saves growing; in bytes. With a block the command begins in its buffer. */
  constructor(timestamp: Timestamp, sizeHint: number, block?: CommandBlock) {
    this.#out = block?.out ?? arenaFor(sizeHint + 64);
    this.#start = block === undefined ? this.#out.length : 0;
    const { length } = this.#out;
    this.#out.length = this.#start;
    this.#out.u8(format);
    this.#out.u64(timestamp);
    if (block === undefined) return;
    this.#out.length = length;
    this.#block = block;
    this.#operations.push({ type: 'puts', bytes: this.#out.bytes, places: block.places });
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#out.u8(type.put);
    this.#bytes(key);
    this.#bytes(value);
    this.#operations.push({ type: 'put', key, value });
  }

  /** Puts an envelope around `body`. */
  putRecord(key: Uint8Array, body: Uint8Array, timestamp: Timestamp): void {
    const out = this.#out;
    out.u8(type.put);
    this.#bytes(key);
    out.varint(envelopeBytes + body.length);
    out.reserve(envelopeBytes + body.length);
    const at = out.length;
    out.bytes.set(body, at + envelopeBytes);
    sealEnvelope(out.bytes, at, { timestamp, bodyBytes: body.length });
    out.length = at + envelopeBytes + body.length;
    const start = at - this.#start;
    const end = out.length - this.#start;
    this.#records.push({ at: this.#operations.length, start, end });
    this.#operations.push({ type: 'put', key, value: body });
  }

  delete(key: Uint8Array): void {
    this.#out.u8(type.delete);
    this.#bytes(key);
    this.#operations.push({ type: 'delete', key });
  }

  deleteRange(gte: Uint8Array, lt: Uint8Array): void {
    this.#out.u8(type.deleteRange);
    this.#bytes(gte);
    this.#bytes(lt);
    this.#operations.push({ type: 'deleteRange', gte, lt });
  }

  /** At most once. */
  changes(value: Uint8Array): void {
    assert(this.#changes === undefined, 'a command has one list of changes');
    this.#changes = value;
    this.#out.u8(type.changes);
    this.#bytes(value);
  }

  finish(): Command {
    const payload = this.#out.subarray(this.#start);
    for (const { at, start, end } of this.#records) {
      const { key } = this.#operations[at] as { key: Uint8Array };
      this.#operations[at] = { type: 'put', key, value: payload.subarray(start, end) };
    }
    if (this.#block !== undefined)
      this.#operations[0] = { type: 'puts', bytes: payload, places: this.#block.places };
    return { payload, operations: this.#operations, changes: this.#changes };
  }

  #bytes(bytes: Uint8Array): void {
    this.#out.varint(bytes.length);
    this.#out.raw(bytes);
  }
}

export function timestampOfCommand(payload: Uint8Array): Timestamp {
  return getU64(payload, 1);
}

/** The engine operations of a command. They share `payload`. */
export function operationsOf(payload: Uint8Array, index: number, keys: KeySpace): KvOperation[] {
  if (payload[0] !== format)
    throw themisError('FORMAT_UNKNOWN', {
      message: `log record ${index} has command format ${payload[0]}; ${format} is known`,
    });
  const reader = new CommandReader(payload);
  const operations: KvOperation[] = [];
  while (reader.at < payload.length) operations.push(reader.operation(index, keys));
  return operations;
}

class CommandReader {
  readonly #payload: Uint8Array;
  at: number = commandHeaderBytes;

  constructor(payload: Uint8Array) {
    this.#payload = payload;
  }

  operation(index: number, keys: KeySpace): KvOperation {
    const kind = this.#payload[this.at++];
    switch (kind) {
      case type.put:
        return { type: 'put', key: this.#bytes(), value: this.#bytes() };
      case type.delete:
        return { type: 'delete', key: this.#bytes() };
      case type.deleteRange:
        return { type: 'deleteRange', gte: this.#bytes(), lt: this.#bytes() };
      case type.changes:
        return { type: 'put', key: keys.change(index), value: this.#bytes() };
      default:
        throw themisError('LOG_CORRUPT', {
          message: `log record ${index} holds an operation of unknown type ${kind}`,
        });
    }
  }

  #bytes(): Uint8Array {
    const length = this.#varint();
    const start = this.at;
    this.at += length;
    return this.#payload.subarray(start, this.at);
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#payload[this.at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }
}
