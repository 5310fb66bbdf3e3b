import { themisError } from '@themisdb/protocol';
import {
  makeMessage,
  type ConfState,
  type Entry,
  type Message,
  type MessageType,
  type Snapshot,
} from '@themisdb/raft';
import { ByteReader, ByteWriter, ShortBytes } from './bytes.ts';
import type { RaftBatch } from './contract.ts';

/**
 * Raft messages as bytes, format 1: what replicas of different versions send each other. A batch is
 * `[format u8][shard][incarnation][to incarnation][count]`, then the messages; every integer is a varint. A message is
 *
 *     [type][from][to][term][log term][index][commit][vote][reject hint][flags u8]
 *     [context, optional][entry count][entries][snapshot, if flagged]
 *
 * An entry is `[term][index][type + 1, 0 = absent][data, optional]`, a snapshot `[index][term]
 * [membership][data, optional]`. `responses` never travel: they are between a replica and its log.
 */
const format = 1;
const flag = { reject: 1, snapshot: 2 } as const;

export function encodeBatch(batch: RaftBatch): Uint8Array {
  const { messages } = batch;
  const out = new ByteWriter(sizeHint(messages));
  out.u8(format);
  out.varint(batch.shard);
  out.varint(batch.incarnation);
  out.varint(batch.toIncarnation);
  out.varint(messages.length);
  for (const message of messages) writeMessage(out, message);
  return out.finish();
}

/** Entries are views of `bytes`. PROTOCOL_ERROR. */
export function decodeBatch(bytes: Uint8Array): RaftBatch {
  try {
    const reader = new ByteReader(bytes);
    if (reader.u8() !== format) throw malformed('of an unknown format');
    const [shard, incarnation, toIncarnation] = [reader.varint(), reader.varint(), reader.varint()];
    const messages = Array.from({ length: checkedCount(reader.varint(), bytes) }, () =>
      readMessage(reader),
    );
    if (!reader.isAtEnd) throw malformed('longer than it says');
    return { shard, incarnation, toIncarnation, messages };
  } catch (error) {
    if (error instanceof ShortBytes) throw malformed('cut short');
    throw error;
  }
}

function sizeHint(messages: readonly Message[]): number {
  let bytes = 16;
  for (const { entries } of messages) {
    bytes += 64;
    for (const { data } of entries) bytes += 16 + (data?.length ?? 0);
  }
  return bytes;
}

function writeMessage(out: ByteWriter, m: Message): void {
  const { snapshot, entries } = m;
  out.u8(m.type);
  for (const value of [m.from, m.to, m.term, m.logTerm, m.index, m.commit, m.vote, m.rejectHint])
    out.varint(value);
  out.u8((m.reject ? flag.reject : 0) | (snapshot === undefined ? 0 : flag.snapshot));
  out.optional(m.context);
  out.varint(entries.length);
  for (const { term, index, type, data } of entries) {
    out.varint(term);
    out.varint(index);
    out.varint(type === undefined ? 0 : type + 1);
    out.optional(data);
  }
  if (snapshot !== undefined) writeSnapshot(out, snapshot);
}

function readMessage(reader: ByteReader): Message {
  const type = reader.u8() as MessageType;
  const [from, to, term, logTerm] = [varint(), varint(), varint(), varint()];
  const [index, commit, vote, rejectHint] = [varint(), varint(), varint(), varint()];
  const flags = reader.u8();
  const context = reader.optional();
  const entries: Entry[] = [];
  for (let left = varint(); left > 0; left--) entries.push(readEntry(reader));
  const snapshot = (flags & flag.snapshot) === 0 ? undefined : readSnapshot(reader);
  const reject = (flags & flag.reject) !== 0;
  const numbers = { from, to, term, logTerm, index, commit, vote, rejectHint };
  return makeMessage(type, { ...numbers, reject, context, entries, snapshot });

  function varint(): number {
    return reader.varint();
  }
}

function readEntry(reader: ByteReader): Entry {
  const [term, index, type] = [reader.varint(), reader.varint(), reader.varint()];
  if (type > 3) throw malformed('with an entry of unknown type');
  const data = reader.optional();
  return { term, index, type: type === 0 ? undefined : ((type - 1) as Entry['type']), data };
}

function writeSnapshot(out: ByteWriter, { metadata, data }: Snapshot): void {
  out.varint(metadata.index);
  out.varint(metadata.term);
  out.bytes(encodeConfState(metadata.confState));
  out.optional(data);
}

function readSnapshot(reader: ByteReader): Snapshot {
  const [index, term] = [reader.varint(), reader.varint()];
  const confState = decodeConfState(reader.bytes());
  return { metadata: { index, term, confState }, data: reader.optional() };
}

/** A membership as bytes, format 1; it stands in snapshots and in the store. */
export function encodeConfState(state: ConfState): Uint8Array {
  const out = new ByteWriter(64);
  out.u8(format);
  for (const ids of [state.voters, state.learners, state.votersOutgoing, state.learnersNext]) {
    out.varint(ids.length);
    for (const id of ids) out.varint(id);
  }
  out.u8(state.autoLeave ? 1 : 0);
  return out.finish();
}

export function decodeConfState(bytes: Uint8Array): ConfState {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== format) throw malformed('with a membership of an unknown format');
  const ids = (): number[] =>
    Array.from({ length: checkedCount(reader.varint(), bytes) }, () => reader.varint());
  const [voters, learners, votersOutgoing, learnersNext] = [ids(), ids(), ids(), ids()];
  return { voters, learners, votersOutgoing, learnersNext, autoLeave: reader.u8() === 1 };
}

/** Each item takes a byte at least: a count beyond that is a lie, and must not make an array. */
function checkedCount(count: number, bytes: Uint8Array): number {
  if (count > bytes.length) throw malformed('cut short');
  return count;
}

function malformed(how: string): Error {
  return themisError('PROTOCOL_ERROR', { message: `a batch of Raft messages is ${how}` });
}
