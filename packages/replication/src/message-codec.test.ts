import { expect, test } from 'vitest';
import { hasCode, Prng } from '@themisdb/base';
import { makeMessage, type Entry, type Message, type MessageType } from '@themisdb/raft';
import { membersOf } from './members-of.ts';
import { decodeBatch, encodeBatch } from './message-codec.ts';
import { decodeState, encodeState, type ReplicaState } from './state-record.ts';
import { decodeChunk, encodeChunk, encodeEnd, encodeHead } from './snapshot-chunks.ts';

const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

function number(prng: Prng): number {
  return prng.pick([0, 1, 127, 128, prng.below(1e6), Number.MAX_SAFE_INTEGER]);
}

function bytesOrNone(prng: Prng): Uint8Array | undefined {
  return prng.chance(0.3) ? undefined : prng.bytes(prng.below(40));
}

function randomMessage(prng: Prng): Message {
  const entry = (): Entry => ({
    term: number(prng),
    index: number(prng),
    type: prng.pick([undefined, 0, 1, 2] as const),
    data: bytesOrNone(prng),
  });
  const ids = (): number[] => Array.from({ length: prng.below(4) }, () => prng.between(1, 9));
  const confState = {
    voters: ids(),
    learners: ids(),
    votersOutgoing: ids(),
    learnersNext: ids(),
    autoLeave: prng.chance(0.5),
  };
  const metadata = { index: number(prng), term: number(prng), confState };
  return makeMessage(prng.below(24) as MessageType, {
    from: number(prng),
    to: number(prng),
    term: number(prng),
    logTerm: number(prng),
    index: number(prng),
    commit: number(prng),
    vote: number(prng),
    rejectHint: number(prng),
    reject: prng.chance(0.5),
    context: bytesOrNone(prng),
    entries: Array.from({ length: prng.below(4) }, entry),
    snapshot: prng.chance(0.3) ? { metadata, data: bytesOrNone(prng) } : undefined,
  });
}

test.each(seeds)('a batch comes back as it was, seed %i', (seed) => {
  const prng = new Prng(seed);
  for (let round = 0; round < 100; round++) {
    const messages = Array.from({ length: prng.below(5) }, () => randomMessage(prng));
    const batch = {
      shard: prng.u32(),
      incarnation: number(prng),
      toIncarnation: number(prng),
      messages,
    };
    expect(decodeBatch(encodeBatch(batch))).toEqual(batch);
  }
});

test.each(seeds)('bytes that are cut or changed give an error or a message, seed %i', (seed) => {
  const prng = new Prng(seed);
  for (let round = 0; round < 300; round++) {
    const batch = { shard: 1, incarnation: 2, toIncarnation: 3, messages: [randomMessage(prng)] };
    const bytes = encodeBatch(batch).slice(0, prng.below(200));
    if (bytes.length > 0) bytes[prng.below(bytes.length)]! ^= 1 << prng.below(8);
    try {
      decodeBatch(bytes);
    } catch (error) {
      expect(hasCode(error, 'PROTOCOL_ERROR')).toBe(true);
    }
  }
});

test('the state of a replica comes back as it was', () => {
  const confState = membersOf([1, 2]);
  const states: ReplicaState[] = [
    {
      nodeId: 1,
      incarnation: 2 ** 47,
      term: 0,
      vote: 0,
      installing: undefined,
      changedAt: 0,
      peers: new Map(),
    },
    {
      nodeId: 3,
      incarnation: 7,
      term: 2 ** 40,
      vote: 3,
      installing: { index: 9, term: 8, confState, file: 'snapshots/1-ä' },
      changedAt: 77,
      peers: new Map([[1, 2 ** 48 - 1]]),
    },
  ];
  for (const state of states) expect(decodeState(encodeState(state))).toEqual(state);
  expect(() => decodeState(encodeState(states[1]!).subarray(0, 12))).toThrow(
    expect.objectContaining({ code: 'LOG_CORRUPT' }),
  );
  expect(() => decodeState(Uint8Array.of(9))).toThrow(
    expect.objectContaining({ code: 'FORMAT_UNKNOWN' }),
  );
});

test('every flipped bit of a chunk is found', () => {
  const entries = [{ key: Uint8Array.of(1, 2), value: Uint8Array.of(3) }];
  const confState = membersOf([1]);
  const head = { id: 'x', index: 5, term: 2, confState };
  expect(decodeChunk(encodeChunk(entries))).toEqual({ type: 'entries', entries });
  expect(decodeChunk(encodeEnd(3))).toEqual({ type: 'end', count: 3 });
  expect(decodeChunk(encodeHead(head))).toEqual({ type: 'head', head });
  for (const chunk of [encodeChunk(entries), encodeEnd(3), encodeHead(head)]) {
    for (let bit = 0; bit < 8 * chunk.length; bit++) {
      const damaged = chunk.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeChunk(damaged)).toThrow(expect.objectContaining({ code: 'DATA_CORRUPT' }));
    }
  }
});
