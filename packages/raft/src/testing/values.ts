import { utf8Encode } from '@themisdb/base';
import {
  type ConfState,
  type Entry,
  NO_LIMIT,
  type RaftConfig,
  type Snapshot,
  StateType,
} from '../types.ts';

/** Values that tests write often. */

export const bytes = (text: string): Uint8Array => utf8Encode(text);

/** A payload of `count` bytes. */
export const blob = (count: number): Uint8Array => new Uint8Array(count).fill(0x61);

export const textOf = (data: Uint8Array | undefined): string =>
  new TextDecoder().decode(data ?? new Uint8Array(0));

/** Entries without payload, from index `from` on, with these terms. */
export const entriesFrom = (from: number, ...terms: number[]): Entry[] =>
  terms.map((term, at) => ({ index: from + at, term, type: undefined, data: undefined }));

export const termsOf = (entries: readonly Entry[]): number[] => entries.map(({ term }) => term);

export const indexesOf = (entries: readonly Entry[]): number[] => entries.map(({ index }) => index);

/** One proposed entry. */
export const proposed = (text?: string): Entry => ({
  term: 0,
  index: 0,
  type: undefined,
  data: text === undefined ? undefined : bytes(text),
});

export const membersOf = (members: Partial<ConfState>): ConfState => ({
  voters: [],
  learners: [],
  votersOutgoing: [],
  learnersNext: [],
  autoLeave: false,
  ...members,
});

export const snapshotAt = (
  index: number,
  term: number,
  members: Partial<ConfState>,
  data?: Uint8Array,
): Snapshot => ({ data, metadata: { index, term, confState: membersOf(members) } });

/** Ids from 1 on. */
export const idsUpTo = (count: number): number[] =>
  Array.from({ length: count }, (_, at) => at + 1);

const ROLES = {
  [StateType.Follower]: 'follower',
  [StateType.Candidate]: 'candidate',
  [StateType.Leader]: 'leader',
  [StateType.PreCandidate]: 'pre-candidate',
} as const;

export type Role = (typeof ROLES)[StateType];

export const roleOf = (state: StateType): Role => ROLES[state];

/**
 * The timeouts of every test that names no others. Nothing is random: an election is due after exactly
 * `electionTicks`.
 */
export const DEFAULTS: Omit<RaftConfig, 'id' | 'storage'> = {
  electionTicks: 10,
  heartbeatTicks: 1,
  random: () => 0,
  messageBytesMax: NO_LIMIT,
  inflightMessagesMax: 256,
};
