import {
  type AnyConfChange,
  type ConfChange,
  type ConfChangeSingle,
  ConfChangeTransition,
  ConfChangeType,
  type ConfChangeV2,
  type Entry,
  EntryType,
} from '../types.ts';
import { isConfChangeV2 } from './kind.ts';
import { WireReader, WireWriter } from './wire.ts';

/**
 * Configuration changes as bytes of a log entry, in the protobuf form of the library
 * (https://protobuf.dev/programming-guides/encoding/). Fields left out of the value are left out of
 * the bytes; a change with nothing in it has no bytes at all.
 */
export function encodeConfChange(change: AnyConfChange): { type: EntryType; data: Uint8Array } {
  return isConfChangeV2(change)
    ? { type: EntryType.ConfChangeV2, data: encodeV2(change) }
    : { type: EntryType.ConfChange, data: encodeV1(change) };
}

/** The change an entry carries; undefined where its bytes are none, or it is a normal entry. */
export function decodeConfChange(entry: Entry): AnyConfChange | undefined {
  const data = entry.data ?? new Uint8Array(0);
  if (entry.type === EntryType.ConfChange) return decodeV1(data);
  if (entry.type === EntryType.ConfChangeV2) return decodeV2(data);
  return undefined;
}

export function isConfChangeEntry({ type }: Entry): boolean {
  return type === EntryType.ConfChange || type === EntryType.ConfChangeV2;
}

function encodeV1({ id, type, nodeId, context }: ConfChange): Uint8Array {
  const writer = new WireWriter();
  if (id !== undefined) writer.varintField(1, id);
  writer.varintField(2, type);
  writer.varintField(3, nodeId);
  if (context !== undefined) writer.bytesField(4, context);
  return writer.finish();
}

function encodeV2({ transition, changes, context }: ConfChangeV2): Uint8Array {
  const writer = new WireWriter();
  if (transition !== undefined) writer.varintField(1, transition);
  for (const change of changes) writer.bytesField(2, encodeSingle(change));
  if (context !== undefined) writer.bytesField(3, context);
  return writer.finish();
}

function encodeSingle({ type, nodeId }: ConfChangeSingle): Uint8Array {
  const writer = new WireWriter();
  writer.varintField(1, type);
  writer.varintField(2, nodeId);
  return writer.finish();
}

function decodeV1(data: Uint8Array): ConfChange | undefined {
  const fields = new WireReader(data).fields();
  if (fields === undefined) return undefined;
  const type = toConfChangeType(fields.number(2) ?? 0);
  if (type === undefined) return undefined;
  return { type, nodeId: fields.number(3) ?? 0, context: fields.bytes(4), id: fields.number(1) };
}

function decodeV2(data: Uint8Array): ConfChangeV2 | undefined {
  const fields = new WireReader(data).fields();
  if (fields === undefined) return undefined;
  const changes: ConfChangeSingle[] = [];
  for (const item of fields.allBytes(2)) {
    const change = decodeSingle(item);
    if (change === undefined) return undefined;
    changes.push(change);
  }
  const transition = fields.number(1);
  if (transition !== undefined && !isTransition(transition)) return undefined;
  return { transition, changes, context: fields.bytes(3) };
}

function decodeSingle(data: Uint8Array): ConfChangeSingle | undefined {
  const fields = new WireReader(data).fields();
  const type = fields && toConfChangeType(fields.number(1) ?? 0);
  return type === undefined ? undefined : { type, nodeId: fields?.number(2) ?? 0 };
}

function toConfChangeType(value: number): ConfChangeType | undefined {
  return Object.values(ConfChangeType).find((type) => type === value);
}

function isTransition(value: number): value is ConfChangeTransition {
  return Object.values(ConfChangeTransition).some((transition) => transition === value);
}
