package main

import (
	"encoding/binary"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
)

// encoder appends values in the form the replaying side reads: unsigned varints, length-prefixed
// bytes, one byte per flag. Presence is kept apart from emptiness only where it steers behaviour.
type encoder struct{ b []byte }

func (e *encoder) u8(v byte) { e.b = append(e.b, v) }

func (e *encoder) uv(v uint64) { e.b = binary.AppendUvarint(e.b, v) }

func (e *encoder) flag(v bool) {
	if v {
		e.u8(1)
	} else {
		e.u8(0)
	}
}

func (e *encoder) bytes(v []byte) {
	e.uv(uint64(len(v)))
	e.b = append(e.b, v...)
}

// optional keeps nil and empty apart: an entry's encoded size, which limits count, differs.
func (e *encoder) optional(v []byte) {
	if v == nil {
		e.u8(0)
		return
	}
	e.u8(1)
	e.bytes(v)
}

// Stand-ins for the two reserved ids, which do not fit the other side's numbers.
const (
	appendThreadName = 1_000_001
	applyThreadName  = 1_000_002
)

func (e *encoder) id(v uint64) {
	switch v {
	case raft.LocalAppendThread:
		e.uv(appendThreadName)
	case raft.LocalApplyThread:
		e.uv(applyThreadName)
	default:
		e.uv(v)
	}
}

func (e *encoder) ids(v []uint64) {
	e.uv(uint64(len(v)))
	for _, id := range v {
		e.uv(id)
	}
}

func (e *encoder) entry(v *pb.Entry) {
	e.uv(v.GetTerm())
	e.uv(v.GetIndex())
	if v.Type == nil {
		e.u8(0)
	} else {
		e.u8(1 + byte(v.GetType()))
	}
	e.optional(v.Data)
}

func (e *encoder) entries(v []*pb.Entry) {
	e.uv(uint64(len(v)))
	for _, entry := range v {
		e.entry(entry)
	}
}

func (e *encoder) confState(v *pb.ConfState) {
	e.ids(v.GetVoters())
	e.ids(v.GetLearners())
	e.ids(v.GetVotersOutgoing())
	e.ids(v.GetLearnersNext())
	e.flag(v.GetAutoLeave())
}

func (e *encoder) snapshot(v *pb.Snapshot) {
	if v == nil {
		e.u8(0)
		return
	}
	e.u8(1)
	e.uv(v.GetMetadata().GetIndex())
	e.uv(v.GetMetadata().GetTerm())
	e.confState(v.GetMetadata().GetConfState())
	e.bytes(v.GetData())
}

func (e *encoder) hardState(v *pb.HardState) {
	if v == nil {
		e.u8(0)
		return
	}
	e.u8(1)
	e.uv(v.GetTerm())
	e.uv(v.GetVote())
	e.uv(v.GetCommit())
}

func (e *encoder) message(m *pb.Message) {
	e.u8(byte(m.GetType()))
	e.id(m.GetTo())
	e.id(m.GetFrom())
	e.uv(m.GetTerm())
	e.uv(m.GetLogTerm())
	e.uv(m.GetIndex())
	e.entries(m.GetEntries())
	e.uv(m.GetCommit())
	e.uv(m.GetVote())
	e.snapshot(m.GetSnapshot())
	e.flag(m.GetReject())
	e.uv(m.GetRejectHint())
	e.bytes(m.GetContext())
	e.messages(m.GetResponses())
}

func (e *encoder) messages(v []*pb.Message) {
	e.uv(uint64(len(v)))
	for _, m := range v {
		e.message(m)
	}
}

func (e *encoder) ready(rd *raft.Ready) {
	e.flag(rd.SoftState != nil)
	if rd.SoftState != nil {
		e.uv(rd.SoftState.Lead)
		e.u8(byte(rd.SoftState.RaftState))
	}
	e.hardState(rd.HardState)
	e.uv(uint64(len(rd.ReadStates)))
	for _, state := range rd.ReadStates {
		e.uv(state.Index)
		e.bytes(state.RequestCtx)
	}
	e.entries(rd.Entries)
	e.snapshot(rd.Snapshot)
	e.entries(rd.CommittedEntries)
	e.messages(rd.Messages)
	e.flag(rd.MustSync)
}

func (e *encoder) basics(rn *raft.RawNode) {
	s := rn.BasicStatus()
	e.flag(rn.HasReady())
	e.uv(s.GetTerm())
	e.uv(s.GetVote())
	e.uv(s.GetCommit())
	e.uv(s.Lead)
	e.u8(byte(s.RaftState))
	e.uv(s.Applied)
	e.uv(s.LeadTransferee)
}

// status leaves AutoLeave out: the library's copy of its configuration forgets it.
func (e *encoder) status(s raft.Status) {
	e.set(s.Config.Voters[0])
	e.set(s.Config.Voters[1])
	e.set(s.Config.Learners)
	e.set(s.Config.LearnersNext)
	e.uv(uint64(len(s.Progress)))
	for _, id := range sortedKeys(s.Progress) {
		pr := s.Progress[id]
		e.uv(id)
		e.progress(&pr)
	}
}

func (e *encoder) progress(pr *tracker.Progress) {
	e.uv(pr.Match)
	e.uv(pr.Next)
	e.u8(byte(pr.State))
	e.uv(pr.PendingSnapshot)
	e.flag(pr.RecentActive)
	e.flag(pr.MsgAppFlowPaused)
	e.flag(pr.IsLearner)
	e.uv(uint64(pr.Inflights.Count()))
	e.flag(pr.Inflights.Full())
}

func (e *encoder) set(v map[uint64]struct{}) { e.ids(sortedKeys(v)) }

func (e *encoder) settings(s *settings) {
	e.uv(uint64(s.electionTicks))
	e.uv(uint64(s.heartbeatTicks))
	e.flag(s.async)
	e.limit(s.messageBytesMax)
	e.limit(s.applyingBytesMax)
	e.limit(s.uncommittedBytesMax)
	e.uv(uint64(s.inflightMessagesMax))
	e.limit(s.inflightBytesMax)
	e.flag(s.checkQuorum)
	e.flag(s.preVote)
	e.flag(s.leaseReads)
	e.flag(s.disableForwarding)
	e.flag(s.disableValidation)
	e.flag(s.stepDownOnRemoval)
}

// limit writes "no limit" as 0 and any other limit one higher.
func (e *encoder) limit(v uint64) {
	if v == noLimit {
		e.uv(0)
	} else {
		e.uv(v + 1)
	}
}
