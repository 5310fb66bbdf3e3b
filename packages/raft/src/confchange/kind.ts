import {
  type AnyConfChange,
  type ConfChange,
  ConfChangeTransition,
  type ConfChangeV2,
} from '../types.ts';

export function isConfChangeV2(change: AnyConfChange): change is ConfChangeV2 {
  return 'changes' in change;
}

export function asConfChangeV2(change: ConfChange | ConfChangeV2): ConfChangeV2 {
  if (isConfChangeV2(change)) return change;
  const { type, nodeId, context } = change;
  return { changes: [{ type, nodeId }], context };
}

/**
 * What applying a change does to the configuration: `simple` changes one voter, `enter` goes through
 * a joint configuration (left again by the leader where `autoLeave` holds), `leave` ends it.
 */
export type ConfChangeKind =
  | { readonly kind: 'simple' }
  | { readonly kind: 'enter'; readonly autoLeave: boolean }
  | { readonly kind: 'leave' };

/**
 * More than one step always goes through a joint configuration, although some could do without:
 * which ones depends on the configuration they meet.
 */
export function confChangeKind(change: ConfChangeV2): ConfChangeKind {
  const transition = change.transition ?? ConfChangeTransition.Auto;
  if (transition === ConfChangeTransition.Auto && change.changes.length <= 1) {
    return { kind: change.changes.length === 0 ? 'leave' : 'simple' };
  }
  return { kind: 'enter', autoLeave: transition !== ConfChangeTransition.JointExplicit };
}
