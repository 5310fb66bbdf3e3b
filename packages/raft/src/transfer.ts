import { makeMessage } from './message.ts';
import type { Raft } from './raft.ts';
import { sendAppend } from './replication.ts';
import type { Progress } from './tracker/progress.ts';
import { type Message, MessageType, NONE } from './types.ts';

/**
 * Hands leadership over (thesis section 3.10): no more proposals are taken, the target is brought up
 * to date and then told to campaign at once. After an election timeout the attempt is given up.
 */
export function handleTransferLeader(
  raft: Raft,
  { from: target }: Message,
  progress: Progress,
): void {
  const name = target.toString(16);
  if (progress.isLearner) {
    raft.logger?.log('debug', `${raft.name} is learner. Ignored transferring leadership`);
    return;
  }
  if (raft.leadTransferee === target) {
    raft.logger?.log(
      'info',
      `${raft.name} [term ${raft.term}] transfer leadership to ${name} is in progress, ` +
        `ignores request to same node ${name}`,
    );
    return;
  }
  abortOther(raft);
  if (target === raft.id) {
    raft.logger?.log(
      'debug',
      `${raft.name} is already leader. Ignored transferring leadership to self`,
    );
    return;
  }
  start(raft, target, progress);
}

export function sendTimeoutNow(raft: Raft, to: number): void {
  raft.send(makeMessage(MessageType.TimeoutNow, { to }));
}

function abortOther(raft: Raft): void {
  if (raft.leadTransferee === NONE) return;
  raft.logger?.log(
    'info',
    `${raft.name} [term ${raft.term}] abort previous transferring leadership to ` +
      raft.leadTransferee.toString(16),
  );
  raft.leadTransferee = NONE;
}

function start(raft: Raft, target: number, progress: Progress): void {
  const name = target.toString(16);
  raft.logger?.log(
    'info',
    `${raft.name} [term ${raft.term}] starts to transfer leadership to ${name}`,
  );
  // The transfer has one election timeout to succeed.
  raft.electionElapsed = 0;
  raft.leadTransferee = target;
  if (progress.match === raft.log.lastIndex) {
    sendTimeoutNow(raft, target);
    raft.logger?.log(
      'info',
      `${raft.name} sends MsgTimeoutNow to ${name} immediately as ${name} already has ` +
        'up-to-date log',
    );
  } else {
    sendAppend(raft, target, { evenIfEmpty: true });
  }
}
