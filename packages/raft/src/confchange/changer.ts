import { unreachable } from '@themisdb/base';
import type { TrackerConfig } from '../tracker/config.ts';
import type { Progress } from '../tracker/progress.ts';
import type { ProgressTracker } from '../tracker/tracker.ts';
import { type ConfChangeSingle, ConfChangeType } from '../types.ts';
import { Draft } from './draft.ts';

/** A membership together with the progress of its members, ready for `ProgressTracker.reconfigure`. */
export interface Membership {
  readonly config: TrackerConfig;
  readonly progress: ReadonlyMap<number, Progress>;
}

export type ChangeResult =
  | { readonly ok: true; readonly membership: Membership }
  | { readonly ok: false; readonly reason: string };

/**
 * Works out what a membership change leads to, without putting it in force (thesis chapter 4): the
 * tracker stays as it is. Members that stay keep their progress.
 */
export class Changer {
  readonly #tracker: ProgressTracker;
  /** New members start to be probed here: the end of the leader's log. */
  readonly #next: number;

  constructor(tracker: ProgressTracker, lastIndex: number) {
    this.#tracker = tracker;
    this.#next = Math.max(lastIndex, 1);
  }

  /**
   * Changes at most one voter, which keeps every old and new majority overlapping (thesis section
   * 4.1); any number of learners.
   */
  simple(changes: readonly ConfChangeSingle[]): ChangeResult {
    const { voters } = this.#tracker.config;
    if (voters.isJoint) return refused("can't apply simple config change in joint config");
    const draft = this.#draft();
    this.#apply(draft, changes);
    if (draft.incoming.size === 0) return refused('removed all voters');
    if (voters.incoming.differenceCount(draft.incoming) > 1) {
      return refused('more than one voter changed without entering joint config');
    }
    return done(draft);
  }

  /** Keeps the present voters as the outgoing half and applies the changes to the incoming one. */
  enterJoint(autoLeave: boolean, changes: readonly ConfChangeSingle[]): ChangeResult {
    const { voters } = this.#tracker.config;
    if (voters.isJoint) return refused('config is already joint');
    // A group that never had a member is set up by simple changes.
    if (voters.incoming.size === 0) return refused("can't make a zero-voter config joint");
    const draft = this.#draft();
    draft.outgoing = draft.incoming;
    this.#apply(draft, changes);
    if (draft.incoming.size === 0) return refused('removed all voters');
    draft.autoLeave = autoLeave;
    return done(draft);
  }

  /** Drops the outgoing half; demoted voters become learners, removed ones are forgotten. */
  leaveJoint(): ChangeResult {
    if (!this.#tracker.config.voters.isJoint) return refused("can't leave a non-joint config");
    const draft = this.#draft();
    draft.leaveJoint();
    return done(draft);
  }

  #draft(): Draft {
    return new Draft(this.#tracker.config, this.#tracker.progress);
  }

  #apply(draft: Draft, changes: readonly ConfChangeSingle[]): void {
    for (const { type, nodeId } of changes) {
      // The application cancels a change by clearing the id.
      if (nodeId === 0) continue;
      switch (type) {
        case ConfChangeType.AddNode:
          draft.makeVoter(nodeId, () => this.#newProgress(false));
          break;
        case ConfChangeType.AddLearnerNode:
          draft.makeLearner(nodeId, () => this.#newProgress(true));
          break;
        case ConfChangeType.RemoveNode:
          draft.remove(nodeId);
          break;
        case ConfChangeType.UpdateNode:
          break;
        default:
          unreachable(type, 'configuration change');
      }
    }
  }

  /** Counted as heard from: a new member gets an election timeout before it can look dead. */
  #newProgress(isLearner: boolean): Progress {
    return this.#tracker.makeProgress({ next: this.#next, isLearner, recentActive: true });
  }
}

function done(draft: Draft): ChangeResult {
  return { ok: true, membership: draft.finish() };
}

function refused(reason: string): ChangeResult {
  return { ok: false, reason };
}
