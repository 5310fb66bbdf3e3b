package main

import (
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"slices"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// Operations of a trace. The replaying side knows them by the same numbers.
const (
	opEnd byte = iota
	opDisk
	opStart
	opBootstrap
	opCrash
	opTick
	opCampaign
	opPropose
	opProposeConf
	opReadIndex
	opTransfer
	opForget
	opUnreachable
	opReportSnapshot
	opDeliver
	opDeliverFresh
	opStep
	opReady
	opPersist
	opApply
	opAdvance
	opAppendThread
	opApplyThread
	opAppendResp
	opApplyResp
	opSnapshot
	opCompact
	opSnapshotPending
	opStatus
	opApplyConf
)

// What became of an operation.
const (
	outcomeOK byte = iota
	outcomeDropped
	outcomeLocalMessage
	outcomePeerNotFound
	outcomePanic
)

// packet is a message on the network.
type packet struct {
	number int
	m      *pb.Message
	due    int
}

// world is one scenario: the nodes, the network between them, and the trace so far.
//
// Every operation on the library goes through `do`, which writes the operation, the election timeouts
// drawn during it, and its result. An operation that makes the library panic ends the scenario: the
// other side has to fail at the same place.
type world struct {
	seed    uint64
	rng     *rand.Rand
	out     encoder
	scratch encoder
	draws   []byte
	bound   int

	hosts    []*host
	net      []packet
	numbered int // messages put on the network so far
	now      int
	blocked  map[[2]uint64]bool
	weather  weather

	contexts  [][]byte // of read requests made
	proposals int
	isDead    bool
	panicText string
	marks     [markCount]uint32
}

func newWorld(seed uint64) *world {
	w := &world{
		seed:    seed,
		rng:     rand.New(rand.NewPCG(seed, 0x7261667400000000)),
		blocked: map[[2]uint64]bool{},
	}
	w.out.uv(seed)
	return w
}

// Read serves the library's only source of randomness, crypto/rand.Reader: it asks for one byte per
// election timeout. What it gets is recorded, so that the other side can draw the same.
func (w *world) Read(p []byte) (int, error) {
	if len(p) != 1 {
		panic(fmt.Sprintf("%d random bytes asked for", len(p)))
	}
	p[0] = byte(w.rng.IntN(w.bound))
	w.draws = append(w.draws, p[0])
	return 1, nil
}

func (w *world) host(id uint64) *host {
	for _, h := range w.hosts {
		if h.id == id {
			return h
		}
	}
	return nil
}

func (w *world) mark(m mark) { w.marks[m]++ }

func (w *world) markIf(m mark, hit bool) {
	if hit {
		w.mark(m)
	}
}

// op starts an operation; its arguments are appended to w.out before `do`.
func (w *world) op(code byte, h *host) {
	w.now++
	w.out.u8(code)
	w.out.uv(h.id)
}

// do runs an operation on a node and records its result.
func (w *world) do(h *host, f func() error) bool {
	w.bound = h.settings.electionTicks
	w.draws = w.draws[:0]
	w.scratch.b = w.scratch.b[:0]
	crand.Reader = w
	w.scratch.u8(outcomeOK)
	outcome := w.guard(h, f)
	w.scratch.b[0] = outcome
	w.out.bytes(w.draws)
	w.out.bytes(w.scratch.b)
	if w.isDead {
		return false
	}
	before := h.last
	h.last = h.observe()
	w.markTransition(h, before)
	return outcome == outcomeOK
}

func (w *world) guard(h *host, f func() error) (outcome byte) {
	defer func() {
		if text := recover(); text != nil {
			w.isDead = true
			w.panicText = fmt.Sprint(text)
			w.mark(markPanic)
			w.scratch.b = w.scratch.b[:1]
			outcome = outcomePanic
		}
	}()
	switch err := f(); err {
	case nil:
		outcome = outcomeOK
	case raft.ErrProposalDropped:
		outcome = outcomeDropped
	case raft.ErrStepLocalMsg:
		outcome = outcomeLocalMessage
	case raft.ErrStepPeerNotFound:
		outcome = outcomePeerNotFound
	default:
		panic(err)
	}
	if h.up() {
		w.scratch.basics(h.rn)
	}
	return outcome
}

// store records an operation on the disk alone.
func (w *world) store(h *host) {
	w.scratch.b = w.scratch.b[:0]
	w.scratch.u8(outcomeOK)
	w.scratch.uv(h.disk.first())
	w.scratch.uv(h.disk.last())
	w.out.bytes(nil)
	w.out.bytes(w.scratch.b)
}

// Life of a node.

func (w *world) giveDisk(h *host, snapshot *pb.Snapshot) {
	w.op(opDisk, h)
	w.out.snapshot(snapshot)
	h.disk = newDisk()
	h.applied = 0
	h.confs = []confAt{{0, h.disk.conf}}
	if snapshot != nil {
		check(h.disk.ApplySnapshot(snapshot))
		h.installSnapshot(snapshot)
		if snapshot.GetMetadata().GetIndex() == 0 {
			h.confs = []confAt{{0, snapshot.GetMetadata().GetConfState()}}
		}
	}
	w.store(h)
}

// start starts a node from its disk, telling it that the application has applied up to `applied`;
// `tell` false leaves that unsaid, and the library hands out everything after the snapshot again.
func (w *world) start(h *host, s settings, hard *pb.HardState, applied uint64, tell bool) {
	h.settings = s
	h.disk.hard, h.disk.synced = hard, hard
	h.applied = applied
	for len(h.confs) > 1 && h.confs[len(h.confs)-1].index > applied {
		h.confs = h.confs[:len(h.confs)-1]
	}
	h.disk.conf = h.conf()
	told := applied
	if !tell {
		told = 0
	}
	w.op(opStart, h)
	w.out.settings(&s)
	w.out.hardState(hard)
	w.out.confState(h.disk.conf)
	w.out.uv(told)
	h.last = observed{}
	w.do(h, func() error {
		h.rn = must(raft.NewRawNode(s.config(h.id, h.disk, told)))
		return nil
	})
}

func (w *world) bootstrap(h *host, ids []uint64) {
	h.firstMembers = ids
	w.op(opBootstrap, h)
	w.out.ids(ids)
	w.do(h, func() error {
		peers := make([]raft.Peer, len(ids))
		for i, id := range ids {
			peers[i] = raft.Peer{ID: id}
		}
		return h.rn.Bootstrap(peers)
	})
}

func (w *world) crash(h *host) {
	if h.rd != nil && !h.persisted || len(h.appendWork) > 0 {
		w.mark(markCrashBeforePersist)
	}
	w.op(opCrash, h)
	h.crash()
	h.last = observed{}
	w.mark(markCrash)
}

// Requests of the application.

func (w *world) tick(h *host) {
	w.op(opTick, h)
	w.do(h, func() error { h.rn.Tick(); return nil })
}

func (w *world) campaign(h *host) {
	before := h.last.state
	pending := h.hasUnappliedChange()
	w.op(opCampaign, h)
	w.do(h, func() error { return h.rn.Campaign() })
	w.markIf(markCampaignUnapplied, pending && before != raft.StateLeader && h.last.state == before)
}

// hasUnappliedChange tells whether a committed configuration change is not applied by the node.
func (h *host) hasUnappliedChange() bool {
	if slices.ContainsFunc(h.handedOut(), isConfChange) {
		return true
	}
	s := h.rn.BasicStatus()
	if s.Applied >= s.GetCommit() || h.disk.first() > s.Applied+1 {
		return false
	}
	hi := min(s.GetCommit(), h.disk.last())
	if hi <= s.Applied {
		return false
	}
	entries, err := h.disk.Entries(s.Applied+1, hi+1, noLimit)
	return err == nil && slices.ContainsFunc(entries, isConfChange)
}

func (w *world) propose(h *host, payloads ...[]byte) {
	w.op(opPropose, h)
	w.out.uv(uint64(len(payloads)))
	for _, data := range payloads {
		w.out.optional(data)
	}
	before := h.last
	ok := w.do(h, func() error {
		if len(payloads) == 1 {
			return h.rn.Propose(payloads[0])
		}
		entries := make([]*pb.Entry, len(payloads))
		for i, data := range payloads {
			entries[i] = &pb.Entry{Data: data}
		}
		return h.rn.Step(&pb.Message{Type: pb.MsgProp.Enum(), From: new(h.id), Entries: entries})
	})
	if ok || w.isDead {
		return
	}
	switch {
	case before.state == raft.StateLeader && before.transferee != 0:
		w.mark(markDroppedInTransfer)
	case before.state == raft.StateLeader && h.isMember(h.id):
		w.mark(markDroppedBySize)
	case before.state == raft.StateLeader:
		w.mark(markDroppedRemovedLeader)
	case before.lead == 0:
		w.mark(markDroppedNoLeader)
	default:
		w.mark(markDroppedForwarding)
	}
}

func (w *world) proposeConf(h *host, change pb.ConfChangeI) {
	typ, data, err := pb.MarshalConfChange(change)
	check(err)
	w.op(opProposeConf, h)
	w.out.entry(&pb.Entry{Type: typ.Enum(), Data: data})
	w.do(h, func() error { return h.rn.ProposeConfChange(change) })
}

func (w *world) readIndex(h *host, context []byte) {
	w.markIf(markRetriedRead, slices.ContainsFunc(w.contexts, func(c []byte) bool {
		return string(c) == string(context)
	}))
	if h.leads() {
		s := h.rn.BasicStatus()
		term, err := h.disk.Term(s.GetCommit())
		w.markIf(markFreshLeaderRead, err == nil && term != s.GetTerm())
	}
	w.markIf(markForwardedRead, !h.leads() && h.last.lead != 0)
	w.contexts = append(w.contexts, context)
	w.op(opReadIndex, h)
	w.out.bytes(context)
	w.do(h, func() error { h.rn.ReadIndex(context); return nil })
}

func (w *world) transfer(h *host, to uint64) {
	if h.leads() {
		pr, ok := h.rn.Status().Progress[to]
		w.markIf(markTransferToLagging, ok && pr.Match < h.disk.last())
	}
	w.op(opTransfer, h)
	w.out.uv(to)
	w.do(h, func() error { h.rn.TransferLeader(to); return nil })
}

func (w *world) forget(h *host) {
	before := h.last.lead
	w.op(opForget, h)
	w.do(h, func() error { return h.rn.ForgetLeader() })
	w.markIf(markForgotLeader, before != 0 && h.last.lead == 0)
}

func (w *world) unreachable(h *host, peer uint64) {
	w.op(opUnreachable, h)
	w.out.uv(peer)
	w.do(h, func() error { h.rn.ReportUnreachable(peer); return nil })
}

func (w *world) reportSnapshot(h *host, peer uint64, failed bool) {
	w.op(opReportSnapshot, h)
	w.out.uv(peer)
	w.out.flag(failed)
	status := raft.SnapshotFinish
	if failed {
		status = raft.SnapshotFailure
	}
	w.do(h, func() error { h.rn.ReportSnapshot(peer, status); return nil })
	w.mark(markSnapshotReported)
}

// step hands over a message that no Ready has produced.
func (w *world) step(h *host, m *pb.Message) {
	w.op(opStep, h)
	w.out.message(m)
	w.do(h, func() error { return h.rn.Step(clone(m)) })
}

// Work of the Readys.

func (w *world) ready(h *host) {
	if !h.settings.async {
		h.persisted, h.delivered = false, false
	}
	w.op(opReady, h)
	w.do(h, func() error {
		rd := h.rn.Ready()
		w.scratch.ready(&rd)
		h.rd = &rd
		return nil
	})
	if w.isDead {
		return
	}
	w.markReady(h, h.rd)
	if h.settings.async {
		w.route(h, h.rd.Messages)
		h.rd = nil
	}
}

// route puts the messages of a Ready with asynchronous storage writes where they belong.
func (w *world) route(h *host, messages []*pb.Message) {
	for _, m := range messages {
		switch m.GetTo() {
		case raft.LocalAppendThread:
			h.appendWork = append(h.appendWork, m)
			w.markIf(markTwoAppends, len(h.appendWork)+len(h.appendDone) > 1)
		case raft.LocalApplyThread:
			h.applyWork = append(h.applyWork, m)
		default:
			w.send(m)
		}
	}
}

func (w *world) persist(h *host) {
	w.op(opPersist, h)
	rd := h.rd
	h.disk.persist(rd.Snapshot, rd.Entries, rd.HardState, rd.MustSync)
	h.installSnapshot(rd.Snapshot)
	h.persisted = true
	w.store(h)
	for _, m := range rd.Messages {
		w.send(m)
	}
}

func (w *world) apply(h *host) {
	w.op(opApply, h)
	w.applyEntries(h, h.rd.CommittedEntries)
	h.delivered = true
}

func (w *world) advance(h *host) {
	w.op(opAdvance, h)
	rd := *h.rd
	w.do(h, func() error { h.rn.Advance(rd); return nil })
	h.rd = nil
}

func (w *world) appendThread(h *host) {
	m := h.appendWork[0]
	h.appendWork = h.appendWork[1:]
	w.op(opAppendThread, h)
	hard := &pb.HardState{Term: new(m.GetTerm()), Vote: new(m.GetVote()), Commit: new(m.GetCommit())}
	h.disk.persist(m.GetSnapshot(), m.GetEntries(), hard, len(m.GetResponses()) > 0)
	h.installSnapshot(m.GetSnapshot())
	w.store(h)
	h.appendDone = append(h.appendDone, m.GetResponses()...)
}

func (w *world) applyThread(h *host) {
	m := h.applyWork[0]
	w.op(opApplyThread, h)
	w.applyEntries(h, m.GetEntries())
	h.applyWork = h.applyWork[1:]
	h.applyDone = append(h.applyDone, m.GetResponses()...)
}

// applyEntries is the application at work: it applies configuration changes and counts the rest.
func (w *world) applyEntries(h *host, entries []*pb.Entry) {
	var decisions []byte
	// The decisions are an input of the operation, so they are taken before it: each is worked out on
	// the configuration that the ones before it lead to.
	applied, conf := h.applied, h.conf()
	for _, e := range entries {
		if isConfChange(e) {
			var decision byte
			decision, conf = decide(e, applied, conf, w.seed)
			decisions = append(decisions, decision)
			w.markDecision(decision)
		}
		applied = max(applied, e.GetIndex())
	}
	w.out.bytes(decisions)
	w.do(h, func() error {
		for _, e := range entries {
			if isConfChange(e) {
				d := decisions[0]
				decisions = decisions[1:]
				w.applyChange(h, e, d)
			}
			h.applied = max(h.applied, e.GetIndex())
		}
		return nil
	})
}

func (w *world) applyChange(h *host, e *pb.Entry, decision byte) {
	if decision != applyChange && decision != cancelChange {
		return
	}
	change := decodeChange(e)
	if decision == cancelChange {
		change = cancelled(change)
	}
	conf := h.rn.ApplyConfChange(change)
	w.scratch.confState(conf)
	w.markConf(h, h.conf(), conf)
	h.confs = append(h.confs, confAt{e.GetIndex(), conf})
}

// respond delivers the first response of finished storage work: to its own node, or by the network.
func (w *world) respond(h *host, code byte, queue *[]*pb.Message) {
	m := (*queue)[0]
	*queue = (*queue)[1:]
	w.op(code, h)
	if m.GetTo() != h.id {
		w.scratch.b = append(w.scratch.b[:0], outcomeOK)
		w.out.bytes(nil)
		w.out.bytes(w.scratch.b)
		w.send(m)
		return
	}
	stale := m.GetType() == pb.MsgStorageAppendResp && m.GetTerm() < h.last.term
	w.markIf(markStaleAppend, stale && m.GetIndex() != 0)
	w.do(h, func() error { return h.rn.Step(clone(m)) })
}

// applyConf applies a change that nobody has committed.
func (w *world) applyConf(h *host, change pb.ConfChangeI) {
	typ, data, err := pb.MarshalConfChange(change)
	check(err)
	w.op(opApplyConf, h)
	w.out.entry(&pb.Entry{Type: typ.Enum(), Data: data})
	w.do(h, func() error {
		w.scratch.confState(h.rn.ApplyConfChange(change))
		return nil
	})
}

// The disk between Readys.

func (w *world) snapshot(h *host, index uint64) {
	conf := h.confAt(index)
	data := []byte{byte(index), byte(h.id)}
	w.op(opSnapshot, h)
	w.out.uv(index)
	w.out.confState(conf)
	w.out.bytes(data)
	must(h.disk.CreateSnapshot(index, conf, data))
	w.store(h)
}

func (w *world) compact(h *host, index uint64) {
	if h.leads() {
		for id, pr := range h.rn.Status().Progress {
			w.markIf(markCompactedBehind, id != h.id && pr.Match < index)
		}
	}
	w.op(opCompact, h)
	w.out.uv(index)
	check(h.disk.Compact(index))
	w.store(h)
}

func (w *world) setSnapshotPending(h *host, pending bool) {
	w.op(opSnapshotPending, h)
	w.out.flag(pending)
	h.disk.snapshotIsPending = pending
	w.store(h)
}

func (w *world) status(h *host) {
	w.op(opStatus, h)
	w.do(h, func() error {
		s := h.rn.Status()
		w.scratch.status(s)
		for id, pr := range s.Progress {
			w.markIf(markInflightsFull, id != h.id && pr.Inflights.Full())
		}
		return nil
	})
}

// The network.

func (w *world) send(m *pb.Message) {
	number := w.numbered
	w.numbered++
	if m.GetType() == pb.MsgSnap {
		w.mark(markSnapshotSent)
	}
	if w.blocked[[2]uint64{m.GetFrom(), m.GetTo()}] || chance(w.rng, w.weather.loss) {
		w.mark(markLost)
		return
	}
	w.net = append(w.net, packet{number, m, w.now + w.delay()})
	if chance(w.rng, w.weather.duplication) {
		w.mark(markDuplicated)
		w.net = append(w.net, packet{number, m, w.now + w.delay()})
	}
}

func (w *world) delay() int {
	if w.weather.delayMax == 0 || !chance(w.rng, w.weather.delay) {
		return 0
	}
	return w.rng.IntN(w.weather.delayMax)
}

// deliver takes the packet off the network; a node that is down does not get it.
func (w *world) deliver(at int) {
	p := w.net[at]
	w.net = slices.Delete(w.net, at, at+1)
	h := w.host(p.m.GetTo())
	if h == nil || !h.up() || w.blocked[[2]uint64{p.m.GetFrom(), p.m.GetTo()}] {
		w.mark(markLost)
		return
	}
	m := clone(p.m)
	code := opDeliver
	if from := w.host(p.m.GetFrom()); m.GetType() == pb.MsgSnap && from != nil && chance(w.rng, 0.2) {
		// The data stream of a snapshot may carry a newer one than was asked for.
		if fresh := must(from.disk.MemoryStorage.Snapshot()); fresh.GetMetadata().GetIndex() > 0 {
			m.Snapshot = fresh
			code = opDeliverFresh
			w.markIf(markFreshSnapshot, fresh.GetMetadata().GetIndex() != p.m.GetSnapshot().GetMetadata().GetIndex())
		}
	}
	before := h.last
	w.op(code, h)
	w.out.uv(uint64(p.number))
	if code == opDeliverFresh {
		w.out.snapshot(m.Snapshot)
	}
	w.do(h, func() error { return h.rn.Step(m) })
	if !w.isDead {
		w.markDelivery(h, p.m, before)
	}
}

// mayDeliver holds a snapshot back while the application has a configuration change to apply: the
// snapshot's configuration takes effect at once, and the change would then be applied on top of it.
func (w *world) mayDeliver(p packet) bool {
	if p.due > w.now {
		return false
	}
	if p.m.GetType() != pb.MsgSnap {
		return true
	}
	h := w.host(p.m.GetTo())
	return h == nil || !h.up() || !slices.ContainsFunc(h.handedOut(), isConfChange)
}

// clone copies what the library may write to: it fills in the receiver of messages it passes on, and
// replaces refused configuration changes in a proposal.
func clone(m *pb.Message) *pb.Message {
	return &pb.Message{
		Type: m.Type, To: m.To, From: m.From, Term: m.Term, LogTerm: m.LogTerm, Index: m.Index,
		Entries: slices.Clone(m.Entries), Commit: m.Commit, Vote: m.Vote, Snapshot: m.Snapshot,
		Reject: m.Reject, RejectHint: m.RejectHint, Context: m.Context, Responses: m.Responses,
	}
}
