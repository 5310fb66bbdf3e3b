import { InvariantError } from '@themisdb/base';
import { describe, expect, test } from 'vitest';
import { resolveConfig } from './config.ts';
import { MemoryStorage } from './memory-storage.ts';
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, NO_LIMIT, type RaftConfig } from './types.ts';

const LEAST: RaftConfig = {
  id: 7,
  electionTicks: 10,
  heartbeatTicks: 3,
  storage: new MemoryStorage(),
  random: () => 0,
  messageBytesMax: 500,
  inflightMessagesMax: 4,
};

test('what is not said has a default', () => {
  expect(resolveConfig(LEAST)).toEqual({
    id: 7,
    electionTicks: 10,
    heartbeatTicks: 3,
    random: LEAST.random,
    applied: 0,
    asyncStorageWrites: false,
    messageBytesMax: 500,
    applyingBytesMax: 500,
    uncommittedBytesMax: NO_LIMIT,
    inflightMessagesMax: 4,
    inflightBytesMax: NO_LIMIT,
    checkQuorum: false,
    preVote: false,
    readOnlyOption: 'safe',
    logger: undefined,
    disableProposalForwarding: false,
    disableConfChangeValidation: false,
    stepDownOnRemoval: false,
  });
});

test('what is said holds', () => {
  const said = {
    applied: 5,
    asyncStorageWrites: true,
    applyingBytesMax: 9,
    uncommittedBytesMax: 8,
    inflightBytesMax: 600,
    checkQuorum: true,
    preVote: true,
    readOnlyOption: 'lease-based',
    logger: { log: () => {} },
    disableProposalForwarding: true,
    disableConfChangeValidation: true,
    stepDownOnRemoval: true,
  } as const;
  expect(resolveConfig({ ...LEAST, ...said })).toMatchObject(said);
});

describe('limits of 0', () => {
  test('are none, or the limit of messages', () => {
    const zero = { applyingBytesMax: 0, uncommittedBytesMax: 0, inflightBytesMax: 0 };
    expect(resolveConfig({ ...LEAST, ...zero })).toMatchObject({
      applyingBytesMax: 500,
      uncommittedBytesMax: NO_LIMIT,
      inflightBytesMax: NO_LIMIT,
    });
  });

  test('for messages lets entries be applied one by one', () => {
    const { messageBytesMax, applyingBytesMax } = resolveConfig({ ...LEAST, messageBytesMax: 0 });
    expect([messageBytesMax, applyingBytesMax]).toEqual([0, 1]);
  });
});

test.each<[string, Partial<RaftConfig>]>([
  ['an id of 0', { id: 0 }],
  ['an id below 0', { id: -1 }],
  ['an id that is no integer', { id: 1.5 }],
  ['the id of a storage thread', { id: LOCAL_APPEND_THREAD }],
  ['the id of the other storage thread', { id: LOCAL_APPLY_THREAD }],
  ['heartbeats without pause', { heartbeatTicks: 0 }],
  ['elections as often as heartbeats', { electionTicks: 3 }],
  ['a window without room', { inflightMessagesMax: 0 }],
  ['a window smaller than a message', { inflightBytesMax: 499 }],
  ['leases without their check', { readOnlyOption: 'lease-based' }],
])('%s is refused', (_, wrong) => {
  expect(() => resolveConfig({ ...LEAST, ...wrong })).toThrow(InvariantError);
});

test('the limits of what is allowed are allowed', () => {
  const edge = { id: 1, heartbeatTicks: 1, electionTicks: 2, inflightMessagesMax: 1 };
  expect(resolveConfig({ ...LEAST, ...edge, inflightBytesMax: 500 })).toMatchObject(edge);
});
