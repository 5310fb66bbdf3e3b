import { type AckedIndex, describeAcked, JointConfig, MajorityConfig } from '@themisdb/raft';
import type { ScriptCommand } from '@themisdb/testing';
import { slowCommittedIndex } from './slow-committed-index.ts';

/**
 * Commands of the quorum scripts: `committed` and `vote`, over one majority (`cfg`) or, where `cfgj`
 * is given, a joint configuration. Values belong to voters in the order in which they are named in
 * both lists; `_` means that nothing is known of a voter.
 */
export function runQuorum(command: ScriptCommand): string {
  const isJoint = command.args.some(({ key }) => key === 'cfgj');
  const incoming = new MajorityConfig(ids(command, 'cfg'));
  const outgoing = new MajorityConfig(ids(command, 'cfgj'));
  const voters = [...new Set([...ids(command, 'cfg'), ...ids(command, 'cfgj')])];
  const values = valuesOf(command, command.name === 'vote' ? 'votes' : 'idx');
  if (values.length !== voters.length) {
    return `error: mismatched input (explicit or _) for voters [${voters}]: [${values}]`;
  }
  const known = new Map(
    voters.flatMap((id, at): [number, string][] => (values[at] === '_' ? [] : [[id, values[at]!]])),
  );
  if (command.name === 'vote') return vote(incoming, outgoing, isJoint, known);
  const indexes = new Map([...known].map(([id, value]): [number, number] => [id, Number(value)]));
  return isJoint ? committedJoint(incoming, outgoing, indexes) : committed(incoming, indexes);
}

/** Anything but the plain answer means that another way of computing it disagreed. */
function committed(config: MajorityConfig, indexes: ReadonlyMap<number, number>): string {
  const acked: AckedIndex = (id) => indexes.get(id);
  const index = config.committedIndex(acked);
  const others: [string, number][] = [
    ['via alternative computation', slowCommittedIndex(config, acked)],
    ['via zero-joint quorum', new JointConfig(config).committedIndex(acked)],
    ['via self-joint quorum', new JointConfig(config, config).committedIndex(acked)],
    ...overlays(config, indexes, index),
  ];
  return `${describeAcked(config, acked)}${differences(others, index)}${name(index)}\n`;
}

/** A voter that is behind the committed index does not change it by falling further behind. */
function overlays(
  config: MajorityConfig,
  indexes: ReadonlyMap<number, number>,
  committedIndex: number,
): [string, number][] {
  return [...indexes]
    .filter(([, index]) => index > 0 && index < committedIndex)
    .flatMap(([id, index]) =>
      [index - 1, 0].map((lower): [string, number] => {
        const acked: AckedIndex = (other) => (other === id ? lower : indexes.get(other));
        return [`overlaying ${id}->${lower}`, config.committedIndex(acked)];
      }),
    );
}

function committedJoint(
  incoming: MajorityConfig,
  outgoing: MajorityConfig,
  indexes: ReadonlyMap<number, number>,
): string {
  const acked: AckedIndex = (id) => indexes.get(id);
  const config = new JointConfig(incoming, outgoing);
  const index = config.committedIndex(acked);
  const swapped = new JointConfig(outgoing, incoming).committedIndex(acked);
  return `${describeAcked(config, acked)}${differences([['via symmetry', swapped]], index)}${name(index)}\n`;
}

function vote(
  incoming: MajorityConfig,
  outgoing: MajorityConfig,
  isJoint: boolean,
  known: ReadonlyMap<number, string>,
): string {
  const votes = new Map([...known].map(([id, value]): [number, boolean] => [id, value === 'y']));
  const result = isJoint
    ? new JointConfig(incoming, outgoing).voteResult(votes)
    : incoming.voteResult(votes);
  const swapped = isJoint ? new JointConfig(outgoing, incoming).voteResult(votes) : result;
  const names = { pending: 'VotePending', lost: 'VoteLost', won: 'VoteWon' };
  const symmetry = swapped === result ? '' : `${names[swapped]} <-- via symmetry\n`;
  return `${symmetry}${names[result]}\n`;
}

function differences(others: readonly [string, number][], index: number): string {
  return others
    .filter(([, other]) => other !== index)
    .map(([how, other]) => `${name(other)} <-- ${how}\n`)
    .join('');
}

function name(index: number): string {
  return index === Number.POSITIVE_INFINITY ? '∞' : String(index);
}

function ids(command: ScriptCommand, key: string): number[] {
  const values = valuesOf(command, key);
  return values.length === 1 && values[0] === 'zero' ? [] : values.map(Number);
}

function valuesOf(command: ScriptCommand, key: string): readonly string[] {
  return command.args.filter((arg) => arg.key === key).flatMap(({ values }) => values);
}
