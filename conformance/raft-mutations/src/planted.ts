/** A known way to get Raft wrong, as a patch of one file of the core. */
export interface PlantedBug {
  readonly name: string;
  readonly file: string;
  /** Must occur exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

export const PLANTED: readonly PlantedBug[] = [
  {
    name: 'double vote in one term',
    file: 'election.ts',
    find: 'if (raft.vote === NONE && raft.lead === NONE) return true;',
    replace: 'if (raft.lead === NONE) return true;',
  },
  {
    name: 'vote for a candidate with an older log',
    file: 'election.ts',
    find: 'mayVote(raft, message) && raft.log.isUpToDate(candidate)',
    replace: 'mayVote(raft, message)',
  },
  {
    name: 'vote of an earlier term kept',
    file: 'transitions.ts',
    find: '    raft.vote = NONE;\n',
    replace: '',
  },
  {
    name: 'older terms not refused',
    file: 'term.ts',
    find: 'message.term > raft.term ? followNewer(raft, message) : refuseOlder(raft, message)',
    replace: 'message.term > raft.term ? followNewer(raft, message) : true',
  },
  {
    name: 'old leader not told of the newer term',
    file: 'term.ts',
    find: '(checkQuorum || preVote) && isFromLeader',
    replace: 'checkQuorum && preVote && isFromLeader',
  },
  {
    name: 'pre-vote ignores the lease',
    file: 'term.ts',
    find: 'if (type === MessageType.Vote || type === MessageType.PreVote) {\n    if (isLease',
    replace: 'if (type === MessageType.Vote) {\n    if (isLease',
  },
  {
    name: 'lease kept without a quorum',
    file: 'leader.ts',
    find: 'if (!raft.tracker.quorumActive()) {',
    replace: 'if (raft.tracker.progress.size === 0) {',
  },
  {
    name: "commit of an earlier term's entry",
    file: 'log.ts',
    find: ' || !this.matches(at)) return false;',
    replace: ') return false;',
  },
  {
    name: 'commit index of an append not cut to what it carried',
    file: 'log.ts',
    find: 'this.commitTo(Math.min(committed, last));',
    replace: 'this.commitTo(Math.min(committed, this.lastIndex));',
  },
  {
    name: "commit index of a heartbeat not cut to the follower's log",
    file: 'replication.ts',
    find: 'const commit = Math.min(progress.match, raft.log.committed);',
    replace: 'const commit = raft.log.committed;',
  },
  {
    name: 'log matching check dropped',
    file: 'log.ts',
    find: 'if (!this.matches(previous)) return undefined;',
    replace: 'if (previous.index > this.lastIndex) return undefined;',
  },
  {
    name: 'quorum of half an even group',
    file: 'quorum/majority.ts',
    find: 'return Math.floor(count / 2) + 1;',
    replace: 'return Math.floor((count + 1) / 2);',
  },
  {
    name: 'joint commit needs one half only',
    file: 'quorum/joint.ts',
    find: 'Math.min(incoming, this.outgoing.committedIndex(acked))',
    replace: 'Math.max(incoming, this.outgoing.committedIndex(acked))',
  },
  {
    name: 'joint election needs one half only',
    file: 'quorum/joint.ts',
    find: 'if (incoming === outgoing) return incoming;',
    replace: "if (incoming === outgoing || incoming === 'won') return incoming;",
  },
  {
    name: 'learner counted as voter',
    file: 'confchange/draft.ts',
    find: '    this.incoming = this.incoming.without(id);\n',
    replace: '    if (!this.outgoing.has(id)) this.incoming = this.incoming.without(id);\n',
  },
  {
    name: 'learner may campaign',
    file: 'raft.ts',
    find: 'own !== undefined && !own.isLearner && ',
    replace: 'own !== undefined && ',
  },
  {
    name: 'campaign with an unapplied membership change',
    file: 'election.ts',
    find: '} else if (hasUnappliedConfChange(raft)) {',
    replace: '} else if (raft.isLeader && hasUnappliedConfChange(raft)) {',
  },
  {
    name: 'two membership changes under way',
    file: 'proposals.ts',
    find: 'if (raft.pendingConfIndex > applied) {',
    replace: 'if (raft.pendingConfIndex > raft.log.committed) {',
  },
  {
    name: 'new leader forgets a pending membership change',
    file: 'transitions.ts',
    find: '  raft.pendingConfIndex = raft.log.lastIndex;\n',
    replace: '',
  },
  {
    name: 'read served before the first commit of the term',
    file: 'reads.ts',
    find: '} else if (!raft.log.hasCommittedInTerm(raft.term)) {',
    replace: '} else if (raft.log.committed === 0) {',
  },
  {
    name: 'read served without asking a quorum',
    file: 'reads.ts',
    find: "if (raft.settings.readOnlyOption === 'lease-based') {",
    replace: 'if (raft.settings.checkQuorum) {',
  },
  {
    name: 'read acknowledgements out of order',
    file: 'read-only.ts',
    find: 'Math.max(round, this.#answered.get(id) ?? 0)',
    replace: 'round',
  },
  {
    name: 'ABA in an asynchronous append',
    file: 'term.ts',
    find: '  if (holdsSnapshot(message.snapshot)) appliedSnapshot',
    replace:
      '  if (message.index !== 0) {\n' +
      '    raft.log.unstable.stableTo({ index: message.index, term: message.logTerm });\n' +
      '  }\n' +
      '  if (holdsSnapshot(message.snapshot)) appliedSnapshot',
  },
  {
    name: 'overwritten entries not written again',
    file: 'unstable.ts',
    find: 'this.offsetInProgress = Math.min(this.offsetInProgress, from);',
    replace: 'this.offsetInProgress = Math.max(this.offsetInProgress, from);',
  },
  {
    name: 'entries acknowledged before they are stable',
    file: 'raft.ts',
    find: 'if (isPromise(type)) {',
    replace: 'if (isPromise(type) && (type !== MessageType.AppResp || message.to === this.id)) {',
  },
  {
    name: 'committed entries lost at a page boundary',
    file: 'log.ts',
    find: 'return hi <= offset || isCut ? stable :',
    replace: 'return hi <= offset || (isCut && stable.length === 0) ? stable :',
  },
  {
    name: 'snapshot over a newer log',
    file: 'membership.ts',
    find: 'if (index <= raft.log.committed) return false;',
    replace: 'if (index === 0) return false;',
  },
  {
    name: 'failed snapshot counted as delivered',
    file: 'leader.ts',
    find: '  if (reject) progress.pendingSnapshot = 0;\n',
    replace: '',
  },
  {
    name: 'transfer without stopping proposals',
    file: 'proposals.ts',
    find: 'if (raft.leadTransferee !== NONE) {',
    replace: 'if (raft.leadTransferee === raft.id) {',
  },
  {
    name: 'inflight limit ignored',
    file: 'tracker/inflights.ts',
    find: 'return this.#count === this.#countMax || this.#bytes >= this.#bytesMax;',
    replace: 'return false;',
  },
  {
    name: 'inflight bytes leak',
    file: 'tracker/inflights.ts',
    find: '  reset(): void {\n    this.#start = 0;\n    this.#count = 0;\n    this.#bytes = 0;\n',
    replace: '  reset(): void {\n    this.#start = 0;\n    this.#count = 0;\n',
  },
  {
    name: 'uncommitted bytes never released',
    file: 'storage-progress.ts',
    find: '  releaseUncommitted(raft, payloadsSize(entries));\n',
    replace: '  releaseUncommitted(raft, 0 * payloadsSize(entries));\n',
  },
];

/** The patched text; fails where the patch no longer fits, so that none is silently skipped. */
export function applyBug({ name, file, find, replace }: PlantedBug, source: string): string {
  const count = source.split(find).length - 1;
  if (count !== 1) {
    throw new Error(`planted bug "${name}": its text occurs ${count} times in ${file}, not once`);
  }
  return source.replace(find, () => replace);
}
