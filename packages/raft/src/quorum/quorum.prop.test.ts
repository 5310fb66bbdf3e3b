import { Prng } from '@themisdb/base';
import { expect, test } from 'vitest';
import { JointConfig } from './joint.ts';
import { type AckedIndex, MajorityConfig } from './majority.ts';

const SEED = 20_240_701;

/** By definition: the largest index that more than half of the voters have reached. */
function committedByDefinition(config: MajorityConfig, acked: AckedIndex): number {
  const indexes = config.ids.map((id) => acked(id) ?? 0);
  const isCommitted = (index: number): boolean =>
    indexes.filter((other) => other >= index).length * 2 > indexes.length;
  return config.size === 0 ? Number.POSITIVE_INFINITY : Math.max(0, ...indexes.filter(isCommitted));
}

function someVoters(prng: Prng): MajorityConfig {
  return new MajorityConfig(Array.from({ length: prng.below(8) }, () => prng.between(1, 12)));
}

test(`a commit index is what its definition says, seed ${SEED}`, () => {
  const prng = new Prng(SEED);
  for (let round = 0; round < 3000; round++) {
    const [incoming, outgoing] = [someVoters(prng), someVoters(prng)];
    const indexes = new Map<number, number>();
    for (let id = 1; id <= 12; id++) if (prng.chance(0.7)) indexes.set(id, prng.below(20));
    const acked: AckedIndex = (id) => indexes.get(id);
    const joint = new JointConfig(incoming, outgoing).committedIndex(acked);
    const actual = [incoming.committedIndex(acked), joint];
    const expected = [committedByDefinition(incoming, acked)];
    expected.push(Math.min(expected[0]!, committedByDefinition(outgoing, acked)));
    // An expectation in every round would take longer than the rest.
    if (actual.join() !== expected.join()) expect(actual).toEqual(expected);
  }
});

test(`a pending vote can still be won and still be lost, seed ${SEED}`, () => {
  const prng = new Prng(SEED);
  for (let round = 0; round < 3000; round++) {
    const config = new JointConfig(someVoters(prng), someVoters(prng));
    const votes = new Map<number, boolean>();
    for (const id of config.ids) if (prng.chance(0.6)) votes.set(id, prng.chance(0.5));
    const filledWith = (vote: boolean): Map<number, boolean> =>
      new Map(config.ids.map((id) => [id, votes.get(id) ?? vote]));
    const outcomes = [config.voteResult(filledWith(true)), config.voteResult(filledWith(false))];
    const result = config.voteResult(votes);
    const expected = result === 'pending' ? ['won', 'lost'] : [result, result];
    if (outcomes.join() !== expected.join()) expect(outcomes).toEqual(expected);
  }
});
