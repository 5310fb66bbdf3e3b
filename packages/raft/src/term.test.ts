import { expect, test } from 'vitest';
import { makeMessage } from './message.ts';
import { admitsTerm } from './term.ts';
import { makeCore } from './testing/core.ts';
import { MessageType } from './types.ts';

test.each([
  ['none', 0, true, 5],
  ['an older one', 4, false, 5],
  ['our own', 5, true, 5],
  ['a newer one', 6, true, 6],
])('a message of %s is let in, or not, and we follow it', (_, term, isLetIn, after) => {
  const core = makeCore({ hardState: { term: 5 } });
  const message = makeMessage(MessageType.App, { from: 2, to: 1, term });
  expect(admitsTerm(core, message)).toBe(isLetIn);
  expect(core.term).toBe(after);
});

test('a candidate within the lease of another leader is not let in', () => {
  const core = makeCore({ checkQuorum: true, hardState: { term: 5 } });
  core.lead = 3;
  const message = makeMessage(MessageType.Vote, { from: 2, to: 1, term: 6 });
  expect([admitsTerm(core, message), core.term]).toEqual([false, 5]);
});
