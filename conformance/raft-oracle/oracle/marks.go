package main

import (
	"slices"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// mark counts how often a rare event has happened. A run in which one of them stays at zero has not
// tested what it is for.
type mark int

const (
	markElected mark = iota
	markElectionLost
	markQuorumLost
	markDeposed
	markTransferStarted
	markTransferToLagging
	markTransferTimeoutNow
	markTransferAborted
	markDroppedInTransfer
	markDroppedBySize
	markDroppedNoLeader
	markDroppedForwarding
	markDroppedRemovedLeader
	markFreshLeaderRead
	markRetriedRead
	markForwardedRead
	markReadAnswered
	markForgotLeader
	markCampaignUnapplied
	markVoteInLeaseIgnored
	markPreVoteLowerTerm
	markOldLeaderAnswered
	markLearnerVoted
	markAppendRejected
	markOverwritten
	markCommitPaginated
	markEmptyAppend
	markInflightsFull
	markSnapshotSent
	markSnapshotInstalled
	markSnapshotToLearner
	markSnapshotIgnored
	markSnapshotForwarded
	markSnapshotReported
	markFreshSnapshot
	markCompactedBehind
	markConfSimple
	markConfJoint
	markConfLeft
	markConfReplaced
	markConfCancelled
	markConfRefused
	markLearnerPromoted
	markVoterDemoted
	markLeaderRemoved
	markLeaderSteppedDownOnRemoval
	markElectedInJoint
	markSingleVoterCommit
	markCrash
	markCrashBeforePersist
	markRestartJoint
	markRestartReplays
	markRestartCommitLost
	markTwoAppends
	markStaleAppend
	markLost
	markDuplicated
	markReordered
	markOneWay
	markWiped
	markPanic
	markCount
)

var markNames = [markCount]string{
	"leader elected", "election lost", "leader stepped down without quorum", "leader deposed by a higher term",
	"transfer started", "transfer to a lagging node", "told to campaign by a transfer", "transfer given up",
	"proposal dropped during a transfer", "proposal dropped by size", "proposal dropped without leader",
	"proposal not forwarded", "proposal to a removed leader",
	"fresh leader asked to read", "read context used again", "read forwarded", "read answered",
	"leader forgotten", "campaign with unapplied change", "vote request ignored in lease",
	"pre-vote at a lower term refused", "old leader answered with our term", "learner voted",
	"append rejected", "entries overwritten", "commit handed out in pages", "empty append", "inflights full",
	"snapshot sent", "snapshot installed", "snapshot to a learner", "snapshot ignored",
	"snapshot only moved commit", "snapshot reported", "newer snapshot delivered", "compacted behind a follower",
	"simple change applied", "joint change applied", "joint state left", "change replaced by an empty entry",
	"change cancelled", "change refused by application", "learner promoted", "voter demoted",
	"leader removed", "leader stepped down on removal", "leader elected in joint state", "single voter committed",
	"crash", "crash before writes", "restart in joint state", "restart replays entries", "restart lost commit",
	"two appends under way", "stale append acknowledged",
	"message lost", "message duplicated", "message reordered", "one-way partition",
	"node wiped", "library panicked",
}

func (w *world) markTransition(h *host, before observed) {
	now := h.last
	wasLeader := before.state == raft.StateLeader
	if now.state == raft.StateLeader && !wasLeader {
		w.mark(markElected)
		w.markIf(markElectedInJoint, isJoint(h.conf()))
	}
	wasCandidate := before.state == raft.StateCandidate || before.state == raft.StatePreCandidate
	w.markIf(markElectionLost, wasCandidate && now.state == raft.StateFollower)
	w.markIf(markDeposed, wasLeader && now.state != raft.StateLeader && now.term > before.term)
	w.markIf(markQuorumLost, wasLeader && now.state == raft.StateFollower && now.term == before.term && h.isMember(h.id))
	w.markIf(markTransferStarted, before.transferee == 0 && now.transferee != 0)
	w.markIf(markTransferAborted, before.transferee != 0 && now.transferee == 0 && now.state == raft.StateLeader)
}

func (w *world) markReady(h *host, rd *raft.Ready) {
	if len(rd.ReadStates) > 0 {
		w.mark(markReadAnswered)
	}
	if len(rd.Entries) > 0 {
		w.markIf(markOverwritten, rd.Entries[0].GetIndex() <= h.disk.last())
		w.markIf(markConfReplaced, h.leads() && slices.ContainsFunc(rd.Entries, func(e *pb.Entry) bool {
			return e.Type != nil && e.GetType() == pb.EntryNormal
		}))
	}
	if !raft.IsEmptySnap(rd.Snapshot) {
		w.mark(markSnapshotInstalled)
		w.markIf(markSnapshotToLearner, slices.Contains(rd.Snapshot.GetMetadata().GetConfState().GetLearners(), h.id))
	}
	if n := len(rd.CommittedEntries); n > 0 {
		last := rd.CommittedEntries[n-1].GetIndex()
		w.markIf(markCommitPaginated, last < h.rn.BasicStatus().GetCommit())
		w.markIf(markSingleVoterCommit, h.leads() && len(h.conf().GetVoters()) == 1)
	}
	for _, m := range rd.Messages {
		w.markIf(markEmptyAppend, m.GetType() == pb.MsgApp && len(m.GetEntries()) == 0)
	}
}

func (w *world) markDecision(decision byte) {
	w.markIf(markConfCancelled, decision == cancelChange)
	w.markIf(markConfRefused, decision == refuseChange)
}

func (w *world) markConf(h *host, before, now *pb.ConfState) {
	switch {
	case isJoint(before) && !isJoint(now):
		w.mark(markConfLeft)
	case isJoint(now) && !isJoint(before):
		w.mark(markConfJoint)
	default:
		w.mark(markConfSimple)
	}
	w.markIf(markLearnerPromoted, intersects(before.GetLearners(), now.GetVoters()))
	w.markIf(markVoterDemoted, intersects(before.GetVoters(), now.GetLearners()) || len(now.GetLearnersNext()) > 0)
	if h.last.state == raft.StateLeader && !slices.Contains(members(now), h.id) && slices.Contains(members(before), h.id) {
		w.mark(markLeaderRemoved)
		w.markIf(markLeaderSteppedDownOnRemoval, h.settings.stepDownOnRemoval)
	}
}

func intersects(a, b []uint64) bool {
	return slices.ContainsFunc(a, func(id uint64) bool { return slices.Contains(b, id) })
}

func (w *world) markDelivery(h *host, m *pb.Message, before observed) {
	now := h.last
	switch m.GetType() {
	case pb.MsgVote, pb.MsgPreVote:
		lease := h.settings.checkQuorum && before.lead != 0 && m.GetTerm() > before.term && len(m.GetContext()) == 0
		w.markIf(markVoteInLeaseIgnored, lease && now == before && m.GetType() == pb.MsgVote)
		w.markIf(markPreVoteLowerTerm, m.GetType() == pb.MsgPreVote && m.GetTerm() < before.term)
		learner := slices.Contains(h.conf().GetLearners(), h.id)
		w.markIf(markLearnerVoted, learner && m.GetType() == pb.MsgVote && h.rn.BasicStatus().GetVote() == m.GetFrom())
	case pb.MsgApp, pb.MsgHeartbeat:
		old := m.GetTerm() < before.term && (h.settings.checkQuorum || h.settings.preVote)
		w.markIf(markOldLeaderAnswered, old)
	case pb.MsgAppResp:
		w.markIf(markAppendRejected, m.GetReject() && h.leads())
	case pb.MsgTimeoutNow:
		w.markIf(markTransferTimeoutNow, now.term > before.term)
	case pb.MsgSnap:
		index := m.GetSnapshot().GetMetadata().GetIndex()
		commit := h.rn.BasicStatus().GetCommit()
		w.markIf(markSnapshotIgnored, commit > index)
		w.markIf(markSnapshotForwarded, commit == index && h.disk.last() >= index && h.disk.snapshotIndex() < index)
	}
}
