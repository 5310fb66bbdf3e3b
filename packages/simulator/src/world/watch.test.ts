import { beforeEach, expect, test } from 'vitest';
import { makeMessage, MessageType, type Entry, type Message } from '@themisdb/raft';
import type { Replica } from '@themisdb/replication';
import type { LogEntry } from '@themisdb/storage';
import type { WalRecord } from '@themisdb/wal';
import { Marks } from '../run/marks.ts';
import { Violations } from './violation.ts';
import { Watch } from './watch.ts';

const shard = 1;
const stateGroup = 2;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

let violations: Violations;
let watch: Watch;
beforeEach(() => {
  violations = new Violations();
  watch = new Watch(shard, violations, new Marks());
  for (const id of [1, 2, 3]) durable(id, [{ term: 9 }]);
});

const broken = (): string | undefined => violations.first?.invariant;

type Written = { readonly term: number; readonly index?: number; readonly text?: string };

/** Entries, or, without an index, the knowledge of a term. */
function appending(id: number, records: readonly Written[]): WalRecord[] {
  const { ledger } = watch.node(id);
  const made = records.map(({ term, index, text = 'x' }): WalRecord => {
    const group = index === undefined ? stateGroup : shard;
    return { group, index: index ?? 1, term, kind: 1, payload: bytes(text) };
  });
  const underWay = ledger.appending(made, () => {});
  watch.written(id);
  return underWay;
}

function durable(id: number, records: readonly Written[]): void {
  watch.node(id).ledger.appended(appending(id, records));
}

function say(from: number, type: MessageType, message: Partial<Message>): void {
  const messages = [makeMessage(type, { from, ...message } as never)];
  watch.sent(from, { shard, incarnation: 1, toIncarnation: 1, messages });
}

const applied = (index: number, term: number, text = 'x'): LogEntry =>
  ({ index, term, data: bytes(text) }) as unknown as LogEntry;

test('an orderly life breaks nothing', () => {
  for (const id of [1, 2]) durable(id, [{ term: 1, index: 1 }]);
  say(1, MessageType.Vote, { term: 1, to: 2 });
  say(2, MessageType.VoteResp, { term: 1, to: 1 });
  watch.role(1, 'leader', 1, 0);
  say(2, MessageType.AppResp, { term: 1, to: 1, index: 1 });
  for (const id of [1, 2]) watch.applies(id, [applied(1, 1)]);
  for (const id of [1, 2]) watch.state(id, 1, 77);
  durable(2, [{ term: 2, index: 2 }]);
  watch.role(2, 'leader', 2, 1);
  expect(broken()).toBeUndefined();
});

test('one leader a term', () => {
  watch.role(1, 'leader', 3, 0);
  say(2, MessageType.Heartbeat, { term: 3, to: 3 });
  expect(broken()).toBe('one leader a term');
});

test('one vote a term: for another, for itself, and over a restart', () => {
  say(3, MessageType.VoteResp, { term: 3, to: 1 });
  say(3, MessageType.VoteResp, { term: 3, to: 1 });
  expect(broken()).toBeUndefined();
  watch.logOpened(3, new Map(), { term: 3, vote: 1 });
  expect(broken()).toBeUndefined();
  say(3, MessageType.Vote, { term: 3, to: 1 });
  expect(broken()).toBe('one vote a term');
});

test('a vote that was forgotten is found when the log opens', () => {
  say(3, MessageType.VoteResp, { term: 3, to: 1 });
  watch.logOpened(3, new Map(), { term: 3, vote: 0 });
  expect(broken()).toBe('one vote a term');
});

test('log matching: in a log, and in what a leader sends', () => {
  durable(1, [{ term: 1, index: 1, text: 'one' }]);
  const entry = { index: 1, term: 1, type: undefined, data: bytes('two') } as unknown as Entry;
  say(2, MessageType.App, { term: 2, to: 3, entries: [entry] });
  expect(broken()).toBe('log matching');
});

test('leader completeness: an entry that is missing, not one that waits to be written', () => {
  durable(1, [{ term: 1, index: 1 }]);
  watch.role(1, 'leader', 1, 0);
  watch.applies(1, [applied(1, 1)]);
  let lastIndex = 1;
  const replica = { status: () => ({ term: 9, commitIndex: 0, lastIndex }) } as unknown as Replica;
  watch.replicaOpened(2, replica);
  watch.role(2, 'leader', 9, 0);
  expect(broken()).toBeUndefined();
  lastIndex = 0;
  durable(2, [{ term: 10 }]);
  watch.role(2, 'leader', 10, 0);
  expect(broken()).toBe('leader completeness');
});

test('committed entries never change', () => {
  watch.applies(1, [applied(1, 1, 'one')]);
  watch.applies(2, [applied(1, 1, 'two')]);
  expect(broken()).toBe('committed entries never change');
});

test.each([[[1, 3]], [[1, 1]], [[2]]])('each entry once, without a gap: %j', (indexes) => {
  watch.applies(
    1,
    indexes.map((index) => applied(index, 1)),
  );
  expect(broken()).toBe('each entry once, without a gap');
});

test('equal states', () => {
  watch.state(1, 5, 77);
  watch.state(2, 5, 78);
  expect(broken()).toBe('equal states');
});

test.each([
  ['terms', 2, 5],
  ['commits', 3, 4],
])('%s never go back', (what, term, commit) => {
  watch.role(1, 'follower', 3, 5);
  watch.role(1, 'follower', term, commit);
  expect(broken()).toBe(`${what} never go back`);
});

test('a term that was durable comes back', () => {
  const replica = { status: () => ({ term: 8, commitIndex: 0, lastIndex: 0 }) };
  watch.replicaOpened(1, replica as unknown as Replica);
  expect(broken()).toBe('terms never go back');
});

test('nothing is acknowledged that is not durable', () => {
  appending(2, [{ term: 9, index: 1 }]);
  say(2, MessageType.AppResp, { term: 9, to: 1, index: 1, reject: true });
  expect(broken()).toBeUndefined();
  say(2, MessageType.AppResp, { term: 9, to: 1, index: 1 });
  expect(broken()).toBe('nothing is acknowledged that is not durable');
});

test.each([
  ['a vote', MessageType.VoteResp],
  ['a request for votes', MessageType.Vote],
  ['a sign of life of a leader', MessageType.Heartbeat],
])('nothing is promised in a term that is not durable: %s', (_, type) => {
  say(1, type, { term: 10, to: 2 });
  expect(broken()).toBe('nothing is promised in a term that is not durable');
});

test('durable log: what was durable is found again, what was under way may be', () => {
  durable(1, [{ term: 1, index: 1 }]);
  appending(1, [{ term: 1, index: 2 }]);
  watch.logOpened(1, new Map(watch.node(1).ledger.durable), undefined);
  expect(broken()).toBeUndefined();
  watch.logOpened(1, new Map(), undefined);
  expect(broken()).toBe('durable log');
});
