package main

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/confchange"
	pb "go.etcd.io/raft/v3/raftpb"
	"go.etcd.io/raft/v3/tracker"
)

// disk is what survives a crash. The configuration is the application's: it matches the applied index
// a node is restarted with.
type disk struct {
	*raft.MemoryStorage
	hard              *pb.HardState
	synced            *pb.HardState // as it was after the last write that had to be durable
	conf              *pb.ConfState
	snapshotIsPending bool
}

func newDisk() *disk {
	return &disk{MemoryStorage: raft.NewMemoryStorage(), conf: pb.EnsureConfState(nil)}
}

func (d *disk) InitialState() (*pb.HardState, *pb.ConfState, error) { return d.hard, d.conf, nil }

func (d *disk) Snapshot() (*pb.Snapshot, error) {
	if d.snapshotIsPending {
		return nil, raft.ErrSnapshotTemporarilyUnavailable
	}
	return d.MemoryStorage.Snapshot()
}

func (d *disk) first() uint64 { return must(d.FirstIndex()) }

func (d *disk) last() uint64 { return must(d.LastIndex()) }

func (d *disk) snapshotIndex() uint64 {
	return must(d.MemoryStorage.Snapshot()).GetMetadata().GetIndex()
}

// persist writes what a Ready or a storage message demands: all of it, as one atomic batch. What need
// not be durable (a commit index alone) is lost in some crashes.
func (d *disk) persist(snapshot *pb.Snapshot, entries []*pb.Entry, hard *pb.HardState, durably bool) {
	if !raft.IsEmptySnap(snapshot) {
		check(d.ApplySnapshot(snapshot))
	}
	check(d.Append(entries))
	if !raft.IsEmptyHardState(hard) {
		d.hard = proto.Clone(hard).(*pb.HardState)
	}
	if durably || !raft.IsEmptySnap(snapshot) {
		d.synced = d.hard
	}
}

// confAt is the configuration in force after the entry at index was applied.
type confAt struct {
	index uint64
	conf  *pb.ConfState
}

// host drives one node: its disk, its application, and the work its Readys have asked for.
type host struct {
	id       uint64
	disk     *disk
	rn       *raft.RawNode // nil while the node is down
	settings settings

	// First members of the group, until they are on disk.
	firstMembers []uint64

	// The application: what it has applied, and the configurations it can go back to.
	applied uint64
	confs   []confAt

	// Without asynchronous storage writes: the Ready being worked off.
	rd        *raft.Ready
	persisted bool
	delivered bool // to the application

	// With them: work of the storage threads, and responses of finished work, each in order.
	appendWork, applyWork []*pb.Message
	appendDone, applyDone []*pb.Message

	// Recipes hold work back to bring about a certain order of events.
	appendIsHeld, applyIsHeld bool

	last observed
}

// observed is what the marks compare before and after an operation.
type observed struct {
	state      raft.StateType
	lead       uint64
	term       uint64
	transferee uint64
}

func (h *host) up() bool { return h.rn != nil }

func (h *host) observe() observed {
	if !h.up() {
		return observed{}
	}
	s := h.rn.BasicStatus()
	return observed{state: s.RaftState, lead: s.Lead, term: s.GetTerm(), transferee: s.LeadTransferee}
}

func (h *host) leads() bool { return h.up() && h.last.state == raft.StateLeader }

func (h *host) conf() *pb.ConfState { return h.confs[len(h.confs)-1].conf }

func (h *host) confAt(index uint64) *pb.ConfState {
	for i := len(h.confs) - 1; i >= 0; i-- {
		if h.confs[i].index <= index {
			return h.confs[i].conf
		}
	}
	panic(fmt.Sprintf("no configuration known at %d", index))
}

func (h *host) isMember(id uint64) bool { return slices.Contains(members(h.conf()), id) }

// crash forgets everything that is not on disk.
func (h *host) crash() {
	h.rn = nil
	h.rd = nil
	h.persisted, h.delivered = false, false
	h.appendWork, h.applyWork, h.appendDone, h.applyDone = nil, nil, nil, nil
}

func (h *host) installSnapshot(snapshot *pb.Snapshot) {
	if raft.IsEmptySnap(snapshot) {
		return
	}
	meta := snapshot.GetMetadata()
	if meta.GetIndex() <= h.applied {
		return
	}
	h.applied = meta.GetIndex()
	h.confs = []confAt{{h.applied, meta.GetConfState()}}
}

// handedOut lists entries the application has been given and has not applied.
func (h *host) handedOut() []*pb.Entry {
	var entries []*pb.Entry
	if h.rd != nil && !h.delivered {
		entries = append(entries, h.rd.CommittedEntries...)
	}
	for _, m := range h.applyWork {
		entries = append(entries, m.GetEntries()...)
	}
	return entries
}

func isConfChange(e *pb.Entry) bool {
	return e.GetType() == pb.EntryConfChange || e.GetType() == pb.EntryConfChangeV2
}

// What the application does with a committed configuration change. All replicas decide alike.
const (
	applyChange  byte = 0
	cancelChange byte = 1 // applied with its node ids cleared
	refuseChange byte = 2 // impossible in the configuration it meets: not applied at all
	skipChange   byte = 3 // covered by a snapshot installed meanwhile
)

// decide tells what the application does with a change, and the configuration that follows.
func decide(e *pb.Entry, applied uint64, conf *pb.ConfState, seed uint64) (byte, *pb.ConfState) {
	if e.GetIndex() <= applied {
		return skipChange, conf
	}
	decision, change := applyChange, decodeChange(e)
	isBootstrap := e.GetTerm() == 1 && e.GetIndex() <= idMax // in force before it is applied
	if (e.GetIndex()*2654435761+seed)%19 == 0 && !change.AsV2().LeaveJoint() && !isBootstrap {
		decision, change = cancelChange, cancelled(change)
	}
	if next, ok := changed(conf, change.AsV2()); ok {
		return decision, next
	}
	return refuseChange, conf
}

func decodeChange(e *pb.Entry) pb.ConfChangeI {
	if e.GetType() == pb.EntryConfChange {
		c := &pb.ConfChange{}
		check(proto.Unmarshal(e.GetData(), c))
		return c
	}
	c := &pb.ConfChangeV2{}
	check(proto.Unmarshal(e.GetData(), c))
	return c
}

func cancelled(change pb.ConfChangeI) pb.ConfChangeI {
	if c, ok := change.AsV1(); ok {
		c.NodeId = new(uint64(0))
		return c
	}
	c := change.AsV2()
	for _, single := range c.Changes {
		single.NodeId = new(uint64(0))
	}
	return c
}

// changed asks the library itself what a change leads to, on a configuration of our own: an
// impossible change that is applied makes it panic, so an application has to refuse it.
func changed(conf *pb.ConfState, change *pb.ConfChangeV2) (*pb.ConfState, bool) {
	changer := confchange.Changer{Tracker: tracker.MakeProgressTracker(1, 0), LastIndex: 1}
	cfg, progress, err := confchange.Restore(changer, conf)
	check(err)
	changer.Tracker.Config, changer.Tracker.Progress = cfg, progress
	if change.LeaveJoint() {
		cfg, _, err = changer.LeaveJoint()
	} else if auto, ok := change.EnterJoint(); ok {
		cfg, _, err = changer.EnterJoint(auto, change.Changes...)
	} else {
		cfg, _, err = changer.Simple(change.Changes...)
	}
	if err != nil {
		return nil, false
	}
	changer.Tracker.Config = cfg
	return changer.Tracker.ConfState(), true
}

func isJoint(conf *pb.ConfState) bool { return len(conf.GetVotersOutgoing()) > 0 }

func members(conf *pb.ConfState) []uint64 {
	var ids []uint64
	ids = append(ids, conf.GetVoters()...)
	ids = append(ids, conf.GetLearners()...)
	ids = append(ids, conf.GetVotersOutgoing()...)
	slices.Sort(ids)
	return slices.Compact(ids)
}
