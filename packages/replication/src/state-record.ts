import { themisError } from '@themisdb/protocol';
import type { ConfState } from '@themisdb/raft';
import { ByteReader, ByteWriter, ShortBytes } from './bytes.ts';
import { decodeConfState, encodeConfState } from './message-codec.ts';

/** What a replica remembers beside its entries; each record holds all of it, the latest counts. */
export interface ReplicaState {
  /** Which replica this log belongs to. */
  readonly nodeId: number;
  /** Drawn when the log was made: tells a replica from one that lost its disk and took the same id. */
  readonly incarnation: number;
  readonly term: number;
  readonly vote: number;
  /** A snapshot whose installation is under way: to be finished before anything else. */
  readonly installing: PendingInstall | undefined;
  /**
   * Of the last change of members that was applied here. The state may fall back behind it in a power
   * cut; without this the replica would act by a membership that the group has left behind.
   */
  readonly changedAt: number;
  /** The incarnation each peer first spoke with. */
  readonly peers: ReadonlyMap<number, number>;
}

export interface PendingInstall {
  readonly index: number;
  readonly term: number;
  readonly confState: ConfState;
  /** Where the whole snapshot lies, on the replica's disk. */
  readonly file: string;
}

const format = 1;

/**
 * `[format][node][incarnation][term][vote][peers][pending, optional][changed at]`, integers as varints. The
 * last is absent in records from before there was one.
 */
export function encodeState(state: ReplicaState): Uint8Array {
  const out = new ByteWriter(96);
  out.u8(format);
  for (const value of [state.nodeId, state.incarnation, state.term, state.vote]) out.varint(value);
  out.varint(state.peers.size);
  for (const [id, incarnation] of state.peers) {
    out.varint(id);
    out.varint(incarnation);
  }
  const { installing } = state;
  out.u8(installing === undefined ? 0 : 1);
  if (installing !== undefined) {
    out.varint(installing.index);
    out.varint(installing.term);
    out.bytes(encodeConfState(installing.confState));
    out.bytes(new TextEncoder().encode(installing.file));
  }
  out.varint(state.changedAt);
  return out.finish();
}

export function decodeState(bytes: Uint8Array): ReplicaState {
  try {
    return readState(new ByteReader(bytes));
  } catch (error) {
    if (!(error instanceof ShortBytes)) throw error;
    throw themisError('LOG_CORRUPT', { message: 'the state of the replica is cut short' });
  }
}

function readState(reader: ByteReader): ReplicaState {
  const found = reader.u8();
  if (found !== format)
    throw themisError('FORMAT_UNKNOWN', {
      message: `the replica's state has format ${found}; ${format} is known`,
    });
  const [nodeId, incarnation] = [reader.varint(), reader.varint()];
  const [term, vote] = [reader.varint(), reader.varint()];
  const peers = new Map<number, number>();
  for (let left = reader.varint(); left > 0; left--) peers.set(reader.varint(), reader.varint());
  const installing = reader.u8() === 0 ? undefined : readInstall(reader);
  const changedAt = reader.isAtEnd ? 0 : reader.varint();
  return { nodeId, incarnation, term, vote, peers, installing, changedAt };
}

function readInstall(reader: ByteReader): PendingInstall {
  const [index, term] = [reader.varint(), reader.varint()];
  const confState = decodeConfState(reader.bytes());
  return { index, term, confState, file: new TextDecoder().decode(reader.bytes()) };
}
