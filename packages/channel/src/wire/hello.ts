import { assert, utf8Decode, utf8Encode } from '@themisdb/base';
import type { PeerIdentity } from '../contract.ts';
import { operationKinds, type OfferedOperation } from '../operations.ts';
import { readU16, readU32, writeU16, writeU32 } from './decoder.ts';
import { FrameFault } from './faults.ts';

/** Versions this build speaks. */
export const protocolVersions = { min: 1, max: 1 } as const;

/** A hello may not be longer, whatever the limits: nothing is known of its sender yet. */
export const helloBytesMax = 65_536;

/** "ThemisDB" */
const magic = Uint8Array.of(0x54, 0x68, 0x65, 0x6d, 0x69, 0x73, 0x44, 0x42);

export interface Hello {
  readonly versionMin: number;
  readonly versionMax: number;
  readonly identity: PeerIdentity;
  readonly frameBytesMax: number;
  readonly messageBytesMax: number;
  readonly windowBytes: number;
  readonly callsMax: number;
  readonly operations: readonly OfferedOperation[];
}

/** Its layout is the same in all versions; what comes later comes as an extension behind it. */
export function encodeHello(hello: Hello): Uint8Array {
  const { identity } = hello;
  assert(Number.isSafeInteger(identity.nodeId) && identity.nodeId >= 0, 'node id');
  const writer = new HelloWriter();
  writer.bytes(magic);
  writer.u16(hello.versionMin);
  writer.u16(hello.versionMax);
  writer.u32(Math.floor(identity.nodeId / 2 ** 32));
  writer.u32(identity.nodeId >>> 0);
  writer.u32(hello.frameBytesMax);
  writer.u32(hello.messageBytesMax);
  writer.u32(hello.windowBytes);
  writer.u32(hello.callsMax);
  writer.text(identity.clusterId);
  writer.text(identity.role);
  writer.u16(hello.operations.length);
  for (const { kind, name } of hello.operations) {
    writer.u8(operationKinds.indexOf(kind));
    writer.text(name);
  }
  return writer.done();
}

/** Throws `FrameFault` on anything that is no hello, or has no version in common. */
export function decodeHello(body: Uint8Array): Hello {
  const reader = new HelloReader(body);
  for (const byte of magic) {
    if (reader.u8() !== byte) throw new FrameFault('bad-frame', 'not a ThemisDB hello');
  }
  const [versionMin, versionMax] = [reader.u16(), reader.u16()];
  mustShareVersion(versionMin, versionMax);
  const nodeId = reader.u32() * 2 ** 32 + reader.u32();
  if (!Number.isSafeInteger(nodeId)) throw new FrameFault('bad-frame', 'node id above 2^53');
  const [frameBytesMax, messageBytesMax] = [reader.u32(), reader.u32()];
  const [windowBytes, callsMax] = [reader.u32(), reader.u32()];
  mustBeSound(frameBytesMax, messageBytesMax, windowBytes);
  const identity = { nodeId, clusterId: reader.text(), role: reader.text() };
  const operations = Array.from({ length: reader.u16() }, () => {
    const kind = operationKinds[reader.u8()];
    if (kind === undefined) throw new FrameFault('bad-frame', 'unknown kind of operation');
    return { kind, name: reader.text() };
  });
  reader.extensions();
  const sizes = { frameBytesMax, messageBytesMax, windowBytes, callsMax };
  return { versionMin, versionMax, identity, ...sizes, operations };
}

function mustShareVersion(theirMin: number, theirMax: number): void {
  const { min, max } = protocolVersions;
  if (theirMin <= max && theirMax >= min) return;
  const message = `protocol versions ${theirMin} to ${theirMax} there, ${min} to ${max} here`;
  throw new FrameFault('version', message);
}

function mustBeSound(frameBytes: number, messageBytes: number, windowBytes: number): void {
  if (frameBytes >= 1024 && messageBytes >= frameBytes && windowBytes > 0) return;
  throw new FrameFault('bad-frame', 'the hello has limits nothing fits into');
}

class HelloWriter {
  #out = new Uint8Array(helloBytesMax);
  #at = 0;

  u8(value: number): void {
    this.#out[this.#at++] = value;
  }

  u16(value: number): void {
    writeU16(this.#out, this.#at, value);
    this.#at += 2;
  }

  u32(value: number): void {
    writeU32(this.#out, this.#at, value);
    this.#at += 4;
  }

  bytes(value: Uint8Array): void {
    this.#out.set(value, this.#at);
    this.#at += value.length;
  }

  text(value: string): void {
    const encoded = utf8Encode(value);
    assert(encoded.length < 256, () => `a text of ${encoded.length} bytes in the hello`);
    this.u8(encoded.length);
    this.bytes(encoded);
  }

  done(): Uint8Array {
    return this.#out.slice(0, this.#at);
  }
}

class HelloReader {
  readonly #body: Uint8Array;
  #at = 0;

  constructor(body: Uint8Array) {
    this.#body = body;
  }

  u8(): number {
    return this.#body[this.#take(1)]!;
  }

  u16(): number {
    return readU16(this.#body, this.#take(2));
  }

  u32(): number {
    return readU32(this.#body, this.#take(4));
  }

  text(): string {
    const length = this.u8();
    const at = this.#take(length);
    try {
      return utf8Decode(this.#body.subarray(at, at + length));
    } catch (error) {
      if (error instanceof TypeError) throw new FrameFault('bad-frame', 'a text is not UTF-8');
      throw error;
    }
  }

  /** `u16 tag, u32 length, bytes` to the end. Tags from 0x8000 on must be understood; none is yet. */
  extensions(): void {
    while (this.#at < this.#body.length) {
      const tag = this.u16();
      if (tag >= 0x8000) throw new FrameFault('version', `unknown extension ${tag} of the hello`);
      this.#take(this.u32());
    }
  }

  #take(length: number): number {
    const at = this.#at;
    if (this.#body.length - at < length)
      throw new FrameFault('bad-frame', 'the hello is cut short');
    this.#at += length;
    return at;
  }
}
