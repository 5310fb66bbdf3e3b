const LAST_STATEMENT = 'a function that ends returns undefined as well';
const LAST_CASE = 'the next case of the switch does nothing and leads to the same result';
const OVERWRITTEN = 'the constructor goes through becomeFollower, which sets it anew';
const FILLER = 'a slot of the ring beyond the messages in it is written before it is read';

/**
 * Mutants that no test can tell from the original, by their key, each with the reason. A key that no
 * longer names a mutant fails the run, so that the list stays true.
 */
export const EQUIVALENT: Readonly<Record<string, string>> = {
  'acknowledgements.ts advanceState: progress.becomeProbe(); -> ;':
    'becomeReplicate enters its state and sets next anew; the commit index told while a snapshot is ' +
    'on its way never lies past the end that becomeProbe would cut it to',
  "candidate.ts stepCandidate: return 'ok'; -> ;":
    'the next case looks at answers to votes only, and this message is none',
  "candidate.ts stepCandidate: return 'ok'; -> ; (3)": LAST_CASE,
  'confchange/changer.ts #apply: break; -> ; (3)': LAST_CASE,
  'confchange/codec.ts decodeConfChange: return undefined; -> ;': LAST_STATEMENT,
  'confchange/draft.ts makeLearner: return; -> ;':
    'a learner that is made one again is taken out and put back with the progress it has',
  'confchange/restore.ts restoreMembership: return undefined; -> ;': LAST_STATEMENT,
  'confchange/wire.ts #varint: + -> -':
    'the bytes are stored modulo 256, and 128 more is 128 less there',
  'confchange/wire.ts #varint: 49 -> 50': 'scales are powers of 128; none lies between the limits',
  'confchange/wire.ts #varint: return undefined; -> ;':
    'past the end every byte is undefined, so the loop runs out and returns undefined',
  'confchange/wire.ts #varint: return undefined; -> ; (2)': LAST_STATEMENT,
  'confchange/wire.ts fields: 8 -> 7': 'tag 7 names kind 7, which is refused a line later',
  'confchange/wire.ts varintField: + -> -': 'the kind of a varint is 0',
  "follower.ts stepFollower: return 'ok'; -> ; (8)": LAST_CASE,
  'leader.ts stepFromMember: break; -> ; (5)': LAST_CASE,
  "leader.ts stepLeader: return 'ok'; -> ; (3)": LAST_CASE,
  'log.ts commitTo: <= -> <': 'the commit index is set to what it is',
  'log.ts findConflictByTerm: > -> >=':
    'the term at 0 is 0 where the search gets that far, and 0 is what is returned after it',
  'log.ts slice: <= -> <':
    'nothing is added to the stable entries; what is returned is a copy of them',
  'proposals.ts confChangeRefusal: return undefined; -> ;': LAST_STATEMENT,
  'quorum/majority.ts insertAscending: > -> >=':
    'nothing lies before the first slot, and undefined is not above the value',
  'quorum/majority.ts insertAscending: > -> >= (2)': 'equal numbers may stand in any order',
  "raft.ts #stepRole: return unreachable(this.state, 'raft state'); -> ;":
    'there is no other state; the compiler sees to it',
  'raft.ts (top): 0 -> 1 (2)': 'only a leader reads it, and becomeLeader sets it',
  'raft.ts (top): 0 -> 1 (3)': OVERWRITTEN,
  'raft.ts (top): 0 -> 1 (4)': OVERWRITTEN,
  'raft.ts (top): 0 -> 1 (5)': OVERWRITTEN,
  'raft.ts (top): 0 -> 1 (6)': OVERWRITTEN,
  'raft.ts constructor: 0 -> 1':
    'nothing has been handed out at a start, so there are no bytes to give back, and fewer than none ' +
    'count as none',
  'raft.ts constructor: this.tracker = new ProgressTracker(this.settings); -> ;':
    'loadMembership makes another one before anybody looks',
  'read-only.ts answered: <= -> <': 'no request is confirmed, and none is taken out',
  'read-only.ts encodeRound: < -> <=': 'a write past the end of a typed array does nothing',
  'size.ts limitSize: return entries; -> ;':
    'without a limit the loop runs through and returns the same; leaving early is for speed',
  'term.ts admitsTerm: > -> >=': 'equal terms were dealt with before',
  'tracker/inflights.ts #grow: 0 -> 1': FILLER,
  'tracker/inflights.ts #grow: 0 -> 1 (2)': FILLER,
  'tracker/inflights.ts #grow: 2 -> 1 (2)': FILLER,
  'tracker/inflights.ts #grow: 2 -> 1 (3)': FILLER,
  'tracker/inflights.ts #grow: < -> <=': FILLER,
  'tracker/inflights.ts #grow: < -> <= (2)': FILLER,
  'tracker/inflights.ts (top): 0 -> 1': FILLER,
  'tracker/inflights.ts (top): 0 -> 1 (2)': FILLER,
  'tracker/inflights.ts reset: this.#start = 0; -> ;':
    'an empty ring may start anywhere; the next message goes where it starts',
  'unstable.ts (top): false -> true':
    'it means nothing without a snapshot, and restore, which brings one, sets it',
};
