package main

import (
	"slices"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// recipes bring about, on purpose, what a random walk hardly ever meets. Each starts from wherever the
// walk has led and gives up quietly where that place does not suit it.
var recipes = []func(w *world){
	readOnFreshLeader,
	retryReads,
	answerReadsBackwards,
	campaignWithUnappliedChange,
	transferToLagging,
	catchUpBySnapshot,
	removeLeader,
	changeLeaderInJointState,
	compactBehindSlowFollower,
	overwriteWhileAppending,
	acknowledgeAppendOfOldTerm,
	rejoinAfterPartition,
	loseQuorum,
	commitInBulk,
	fillInflights,
	shrinkToOneVoter,
	forgetAndVote,
	restartInJointState,
	splitLogs,
	replaceTail,
	wipe,
	crashMany,
}

func ofType(types ...pb.MessageType) func(m *pb.Message) bool {
	return func(m *pb.Message) bool { return slices.Contains(types, m.GetType()) }
}

func to(id uint64) func(m *pb.Message) bool {
	return func(m *pb.Message) bool { return m.GetTo() == id }
}

// other is a random node that is up, has the leader's configuration name it, and is not the leader.
func (w *world) other(l *host) *host {
	var can []*host
	for _, id := range members(l.conf()) {
		if h := w.host(id); h != nil && h != l && h.up() {
			can = append(can, h)
		}
	}
	if len(can) == 0 {
		return nil
	}
	return can[w.rng.IntN(len(can))]
}

func (w *world) proposeSome(h *host, max int) {
	for n := 1 + w.rng.IntN(max); n > 0 && !w.isDead && h.up(); n-- {
		w.propose(h, w.payload())
	}
}

func (w *world) tickAll(h *host, n int) {
	for ; n > 0 && !w.isDead && h.up(); n-- {
		w.tick(h)
	}
}

// A new leader is asked to read before it has committed an entry of its term.
func readOnFreshLeader(w *world) {
	h := w.hosts[w.rng.IntN(len(w.hosts))]
	if !h.up() || h.leads() {
		return
	}
	held := ofType(pb.MsgApp, pb.MsgSnap)
	if !w.elect(h, held) {
		return
	}
	for n := 1 + w.rng.IntN(3); n > 0 && !w.isDead; n-- {
		w.someRead()
		if !w.isDead && h.up() {
			w.readIndex(h, []byte{byte(w.rng.IntN(3))})
		}
		if !w.isDead && chance(w.rng, 0.5) {
			w.settle(held, 1)
		}
	}
	if chance(w.rng, 0.3) && !w.isDead && h.up() {
		w.tickAll(h, h.settings.electionTicks)
	}
	w.settle(nil, 4)
}

// The same context is asked for again while its first round is under way, and answers come late.
func retryReads(w *world) {
	l := w.anyLeader()
	if l == nil {
		return
	}
	w.settle(nil, 3)
	context := []byte{7, byte(w.rng.IntN(2))}
	hold := ofType(pb.MsgHeartbeatResp)
	for n := 2 + w.rng.IntN(4); n > 0 && !w.isDead && l.up(); n-- {
		asked := l
		if f := w.other(l); f != nil && chance(w.rng, 0.4) {
			asked = f
		}
		if chance(w.rng, 0.3) {
			context = []byte{7, byte(n), 1}
		}
		w.readIndex(asked, context)
		switch w.rng.IntN(4) {
		case 0:
			w.settle(nil, 1)
		case 1:
			w.settle(hold, 1)
		case 2:
			w.workAll(l)
			w.someDelivery()
		}
		if chance(w.rng, 0.2) && !w.isDead {
			w.tickAll(l, l.settings.heartbeatTicks)
		}
	}
	w.settle(nil, 2)
}

// Several rounds of reads are under way, and every follower's answers arrive newest first.
func answerReadsBackwards(w *world) {
	l := w.anyLeader()
	if l == nil {
		return
	}
	w.settle(nil, 3)
	hold := ofType(pb.MsgHeartbeatResp)
	for n := 2 + w.rng.IntN(2); n > 0 && !w.isDead && l.up(); n-- {
		w.readIndex(l, []byte{21, byte(n)})
		w.settle(hold, 2)
	}
	for _, h := range w.hosts {
		for at := len(w.net) - 1; at >= 0; at-- {
			if w.isDead || at >= len(w.net) {
				break
			}
			if p := w.net[at]; p.m.GetFrom() == h.id && hold(p.m) {
				w.deliver(at)
				if chance(w.rng, 0.4) {
					w.workAll(l)
				}
			}
		}
	}
	w.settle(nil, 2)
}

// A node learns that a change is committed, does not apply it, and campaigns.
func campaignWithUnappliedChange(w *world) {
	l := w.anyLeader()
	if l == nil {
		return
	}
	w.settle(nil, 3)
	f := w.other(l)
	if f == nil || w.isDead {
		return
	}
	f.applyIsHeld = true
	defer func() { f.applyIsHeld = false }()
	for i := 0; i < 3 && !w.isDead; i++ {
		w.proposeConf(l, w.confChange(l))
		w.settle(nil, 3)
		if w.isDead || !f.up() {
			return
		}
		if f.hasUnappliedChange() {
			break
		}
	}
	switch w.rng.IntN(3) {
	case 0:
		w.campaign(f)
	case 1:
		w.tickAll(f, 2*f.settings.electionTicks)
	default:
		w.transfer(l, f.id)
		w.settle(nil, 2)
	}
	w.settle(nil, 2)
	f.applyIsHeld = false
	w.settle(nil, 2)
	if !w.isDead && f.up() && chance(w.rng, 0.5) {
		w.campaign(f)
		w.settle(nil, 3)
	}
}

// Leadership is handed to a node that has to catch up first, or cannot.
func transferToLagging(w *world) {
	l := w.anyLeader()
	if l == nil {
		return
	}
	f := w.other(l)
	if f == nil || w.isDead {
		return
	}
	w.blocked[[2]uint64{l.id, f.id}] = true
	w.proposeSome(l, 4)
	w.settle(nil, 2)
	if chance(w.rng, 0.7) {
		delete(w.blocked, [2]uint64{l.id, f.id})
	}
	if w.isDead || !l.leads() {
		return
	}
	w.transfer(l, f.id)
	for n := w.rng.IntN(3); n > 0 && !w.isDead && l.up(); n-- {
		w.propose(l, w.payload())
	}
	if w.isDead {
		return
	}
	switch w.rng.IntN(5) {
	case 0:
		w.tickAll(l, l.settings.electionTicks)
	case 1:
		w.transfer(l, w.someID())
	case 2:
		w.transfer(l, l.id)
	case 3:
		w.proposeConf(l, &pb.ConfChange{Type: pb.ConfChangeRemoveNode.Enum(), NodeId: new(f.id)})
	}
	clear(w.blocked)
	w.settle(nil, 5)
}

// A node whose entries have been compacted away, often a new learner, is caught up by a snapshot that
// may be late, lost, failed or replaced by a newer one.
func catchUpBySnapshot(w *world) {
	l := w.anyLeader()
	if l == nil {
		return
	}
	id := w.someID()
	f := w.host(id)
	if f == nil || f == l || w.isDead {
		return
	}
	if !l.isMember(id) {
		w.proposeConf(l, &pb.ConfChangeV2{Changes: []*pb.ConfChangeSingle{{
			Type: pb.ConfChangeAddLearnerNode.Enum(), NodeId: new(id),
		}}})
	}
	w.settle(to(id), 3)
	if w.isDead || !l.leads() {
		return
	}
	w.proposeSome(l, 5)
	w.settle(to(id), 3)
	w.snapshotAndCompact(l, 1)
	if w.isDead || !l.leads() {
		return
	}
	if chance(w.rng, 0.3) {
		w.setSnapshotPending(l, true)
	}
	w.tickAll(l, l.settings.heartbeatTicks)
	w.settle(ofType(pb.MsgSnap), 3)
	if l.disk.snapshotIsPending {
		w.setSnapshotPending(l, false)
		w.tickAll(l, l.settings.heartbeatTicks)
		w.settle(ofType(pb.MsgSnap), 2)
	}
	if w.isDead || !l.up() {
		return
	}
	switch w.rng.IntN(5) {
	case 0:
		w.reportSnapshot(l, id, true)
	case 1:
		w.reportSnapshot(l, id, false)
	case 2:
		w.proposeSome(l, 3)
		w.settle(to(id), 2)
		w.snapshotAndCompact(l, 1)
	case 3:
		// Lost altogether.
		w.net = slices.DeleteFunc(w.net, func(p packet) bool { return p.m.GetType() == pb.MsgSnap })
		w.unreachable(l, id)
	}
	late := slices.Clone(w.net)
	w.settle(nil, 4)
	if !w.isDead && l.leads() && chance(w.rng, 0.5) {
		w.proposeConf(l, &pb.ConfChange{Type: pb.ConfChangeAddNode.Enum(), NodeId: new(id)})
		w.settle(nil, 4)
	}
	if w.isDead || !l.up() {
		return
	}
	// The snapshot comes a second time, when the node has moved on and compacted its own log.
	w.proposeSome(l, 3)
	w.settle(nil, 4)
	w.snapshotAndCompact(f, 1)
	for _, p := range late {
		if p.m.GetType() == pb.MsgSnap {
			w.net = append(w.net, p)
		}
	}
	w.settle(nil, 3)
}

// The leader is removed or demoted, simply or by way of a joint state, and goes on.
func removeLeader(w *world) {
	l := w.anyLeader()
	if l == nil || len(l.conf().GetVoters()) < 2 {
		return
	}
	w.settle(nil, 3)
	if w.isDead || !l.leads() {
		return
	}
	typ := pick(w.rng, pb.ConfChangeRemoveNode, pb.ConfChangeAddLearnerNode)
	change := &pb.ConfChangeV2{Changes: []*pb.ConfChangeSingle{{Type: typ.Enum(), NodeId: new(l.id)}}}
	if chance(w.rng, 0.5) {
		change.Changes = append(change.Changes, w.singleChange(l))
	}
	if chance(w.rng, 0.3) {
		change.Transition = pb.ConfChangeTransitionJointImplicit.Enum()
	}
	w.proposeConf(l, change)
	w.settle(nil, 4)
	for i := 0; i < 4 && !w.isDead && l.up(); i++ {
		switch w.rng.IntN(4) {
		case 0:
			w.propose(l, w.payload())
		case 1:
			w.tickAll(l, l.settings.electionTicks)
		case 2:
			w.readIndex(l, []byte{9})
		case 3:
			w.campaign(l)
		}
		w.settle(nil, 1)
	}
}

// Another leader takes over while the configuration is joint, and leaves it.
func changeLeaderInJointState(w *world) {
	l := w.anyLeader()
	if l == nil {
		return
	}
	w.settle(nil, 3)
	if w.isDead || !l.leads() {
		return
	}
	change := &pb.ConfChangeV2{Transition: pb.ConfChangeTransitionJointExplicit.Enum()}
	for n := 1 + w.rng.IntN(3); n > 0; n-- {
		change.Changes = append(change.Changes, w.singleChange(l))
	}
	if chance(w.rng, 0.3) {
		change.Transition = pb.ConfChangeTransitionJointImplicit.Enum()
	}
	w.proposeConf(l, change)
	w.settle(nil, 2+w.rng.IntN(3))
	next := w.other(l)
	if next == nil || w.isDead {
		return
	}
	if chance(w.rng, 0.5) {
		w.transfer(l, next.id)
		w.settle(nil, 4)
	} else if !w.elect(next, nil) {
		return
	}
	for i := 0; i < 3 && !w.isDead && next.up(); i++ {
		w.proposeConf(next, w.confChange(next))
		w.settle(nil, 1+w.rng.IntN(3))
	}
}

// The log is cut right behind, at, or just before what a slow follower holds.
func compactBehindSlowFollower(w *world) {
	l := w.anyLeader()
	if l == nil {
		return
	}
	w.settle(nil, 2)
	f := w.other(l)
	if f == nil || w.isDead || !l.leads() {
		return
	}
	w.blocked[[2]uint64{l.id, f.id}] = true
	w.proposeSome(l, 5)
	w.settle(nil, 2)
	w.snapshotAndCompact(l, 3)
	delete(w.blocked, [2]uint64{l.id, f.id})
	if w.isDead || !l.up() {
		return
	}
	w.propose(l, w.payload())
	w.settle(nil, 1)
	w.snapshotAndCompact(l, 2)
	if !w.isDead && l.up() {
		w.tickAll(l, l.settings.heartbeatTicks)
	}
	w.settle(nil, 4)
}

// Leaders take turns while one node's writes are slow, so that the same positions of its log are
// written several times before the first write is acknowledged.
func overwriteWhileAppending(w *world) {
	slow := w.hosts[w.rng.IntN(len(w.hosts))]
	for _, h := range w.hosts {
		if h.up() && h.settings.async && h.isMember(h.id) && chance(w.rng, 0.5) {
			slow = h
		}
	}
	if !slow.up() {
		return
	}
	defer func() { slow.appendIsHeld = false }()
	for round := 0; round < 2+w.rng.IntN(3) && !w.isDead; round++ {
		l := w.anyLeader()
		if l == nil || w.isDead {
			return
		}
		slow.appendIsHeld = true
		// Some entries reach everybody, the next ones only the slow node.
		if chance(w.rng, 0.6) {
			w.proposeSome(l, 2)
			w.settle(nil, 1)
		}
		w.isolate(l.id)
		delete(w.blocked, [2]uint64{l.id, slow.id})
		if !w.isDead && l.up() {
			w.proposeSome(l, 3)
		}
		w.settle(ofType(pb.MsgAppResp), 2)
		clear(w.blocked)
		next := w.other(l)
		if next == slow || chance(w.rng, 0.3) {
			next = w.other(l)
		}
		if next == nil || w.isDead {
			return
		}
		// The old leader comes back only after the next one's election.
		w.isolate(l.id)
		w.elect(next, nil)
		if !w.isDead && next.leads() && chance(w.rng, 0.7) {
			w.propose(next, w.payload())
			w.settle(pick(w.rng, nil, ofType(pb.MsgAppResp)), 1+w.rng.IntN(3))
		}
		clear(w.blocked)
		if chance(w.rng, 0.5) {
			w.settle(nil, 1+w.rng.IntN(2))
		}
	}
	w.drain(slow)
	w.settle(nil, 3)
}

// A write that began in one term ends in the next, when its entries are committed and wanted.
func acknowledgeAppendOfOldTerm(w *world) {
	l := w.anyLeader()
	if l == nil {
		return
	}
	w.settle(nil, 2)
	slow, next := w.other(l), w.other(l)
	if slow == nil || slow == next || w.isDead || !l.up() {
		return
	}
	slow.appendIsHeld = true
	defer func() { slow.appendIsHeld = false }()
	w.proposeSome(l, 3)
	w.settle(nil, 2)
	w.elect(next, nil)
	if !w.isDead && next.leads() {
		w.propose(next, w.payload())
		w.settle(nil, 2)
	}
	if !w.isDead && next.up() {
		w.tickAll(next, next.settings.heartbeatTicks)
		w.settle(nil, 2)
	}
	w.drain(slow)
	w.settle(nil, 2)
}

// drain finishes held back writes one by one, and looks at what follows from each.
func (w *world) drain(h *host) {
	h.appendIsHeld = false
	for i := 0; i < 30 && !w.isDead && h.up(); i++ {
		switch {
		case !h.settings.async:
			w.work(h)
		case len(h.appendDone) > 0:
			w.respond(h, opAppendResp, &h.appendDone)
		case len(h.appendWork) > 0:
			w.appendThread(h)
		}
		if !w.isDead && h.settings.async && h.rn.HasReady() {
			w.ready(h)
		}
		if !w.isDead && chance(w.rng, 0.3) {
			w.someDelivery()
		}
	}
}

// A node is cut off (or only deaf), campaigns in vain, and comes back with a higher term or without.
func rejoinAfterPartition(w *world) {
	l := w.anyLeader()
	if l == nil {
		return
	}
	w.settle(nil, 2)
	f := w.other(l)
	if f == nil || w.isDead {
		return
	}
	if chance(w.rng, 0.5) {
		w.isolate(f.id)
	} else {
		w.mark(markOneWay)
		w.blocked[[2]uint64{l.id, f.id}] = true
	}
	for i := 1 + w.rng.IntN(3); i > 0 && !w.isDead; i-- {
		w.tickAll(f, f.settings.electionTicks)
		w.settle(nil, 1)
		if !w.isDead && l.leads() && chance(w.rng, 0.5) {
			w.propose(l, w.payload())
			w.tickAll(l, l.settings.heartbeatTicks)
		}
	}
	clear(w.blocked)
	if !w.isDead && l.up() {
		w.tickAll(l, l.settings.heartbeatTicks)
	}
	w.settle(nil, 4)
}

// A leader that nobody answers gives up, or serves on where it does not check.
func loseQuorum(w *world) {
	l := w.anyLeader()
	if l == nil {
		return
	}
	w.settle(nil, 2)
	w.isolate(l.id)
	for i := 0; i < 3 && !w.isDead && l.up(); i++ {
		w.tickAll(l, l.settings.electionTicks)
		if !w.isDead {
			w.readIndex(l, []byte{11, byte(i)})
		}
		w.workAll(l)
	}
	clear(w.blocked)
	w.settle(nil, 2)
}

// Many entries are committed at once and handed out in pages.
func commitInBulk(w *world) {
	l := w.anyLeader()
	if l == nil {
		return
	}
	h := pick(w.rng, l, w.other(l))
	if h != nil {
		h.applyIsHeld = chance(w.rng, 0.5)
		defer func() { h.applyIsHeld = false }()
	}
	w.proposeSome(l, 14)
	w.settle(nil, 2)
	w.proposeSome(l, 4)
	w.settle(nil, 2)
	if h != nil {
		h.applyIsHeld = false
	}
	w.settle(nil, 3)
}

// Appends go out and nothing comes back.
func fillInflights(w *world) {
	l := w.anyLeader()
	if l == nil {
		return
	}
	w.settle(nil, 2)
	f := w.other(l)
	if f == nil || w.isDead {
		return
	}
	w.blocked[[2]uint64{f.id, l.id}] = true
	for i := 0; i < 3 && !w.isDead && l.up(); i++ {
		w.proposeSome(l, 5)
		w.settle(nil, 1)
		if !w.isDead && l.up() {
			w.status(l)
			w.tickAll(l, l.settings.heartbeatTicks)
		}
	}
	if !w.isDead && l.up() && chance(w.rng, 0.3) {
		w.unreachable(l, f.id)
	}
	clear(w.blocked)
	if !w.isDead && l.up() {
		w.tickAll(l, l.settings.heartbeatTicks)
		w.settle(ofType(pb.MsgAppResp), 2)
	}
	w.settle(nil, 4)
}

// A group of one acknowledges to itself.
func shrinkToOneVoter(w *world) {
	for i := 0; i < 4 && !w.isDead; i++ {
		l := w.anyLeader()
		if l == nil || w.isDead {
			return
		}
		voters := l.conf().GetVoters()
		if len(voters) == 1 {
			w.proposeSome(l, 3)
			w.work(l)
			if !w.isDead && l.up() {
				w.readIndex(l, []byte{13})
			}
			w.work(l)
			if !w.isDead && l.up() && chance(w.rng, 0.3) {
				w.crash(l)
				w.restart(l)
				w.settle(nil, 2)
				return
			}
			w.settle(nil, 2)
			return
		}
		change := &pb.ConfChangeV2{}
		for _, id := range voters {
			if id != l.id {
				change.Changes = append(change.Changes, &pb.ConfChangeSingle{
					Type: pick(w.rng, pb.ConfChangeRemoveNode, pb.ConfChangeAddLearnerNode).Enum(), NodeId: new(id),
				})
			}
		}
		w.proposeConf(l, change)
		w.settle(nil, 6)
	}
}

// Followers are told to forget their leader and then asked for votes.
func forgetAndVote(w *world) {
	l := w.anyLeader()
	if l == nil {
		return
	}
	w.settle(nil, 2)
	for _, id := range members(l.conf()) {
		if f := w.host(id); !w.isDead && f != nil && f.up() && chance(w.rng, 0.7) {
			w.forget(f)
			if !w.isDead && chance(w.rng, 0.3) {
				w.propose(f, w.payload())
			}
			if !w.isDead && chance(w.rng, 0.3) {
				w.transfer(f, l.id)
			}
		}
	}
	if f := w.other(l); f != nil && !w.isDead {
		w.campaign(f)
		w.settle(nil, 4)
	}
}

func restartInJointState(w *world) {
	changeLeaderInJointState(w)
	for _, h := range w.hosts {
		if h.up() && !w.isDead && isJoint(h.conf()) && chance(w.rng, 0.6) {
			w.crash(h)
			w.restart(h)
		}
	}
	w.settle(nil, 3)
}

// Leaders that reach nobody leave uncommitted tails of different terms, which later leaders probe
// their way through.
func splitLogs(w *world) {
	for round := 0; round < 2+w.rng.IntN(3) && !w.isDead; round++ {
		l := w.anyLeader()
		if l == nil || w.isDead {
			return
		}
		w.isolate(l.id)
		w.proposeSome(l, 4)
		w.workAll(l)
		if w.isDead || !l.up() {
			return
		}
		for _, h := range w.upHosts() {
			if h != l && !w.isDead {
				w.tickAll(h, h.settings.electionTicks+1)
			}
		}
		w.settle(nil, 4)
		if n := w.leader(); n != nil && n != l && !w.isDead {
			w.proposeSome(n, 2)
			w.settle(ofType(pb.MsgApp), 1)
		}
		if chance(w.rng, 0.5) {
			clear(w.blocked)
		}
	}
	clear(w.blocked)
	w.settle(nil, 5)
}

// A leader that was cut off has a tail nobody else has; the next leader replaces it, piece by piece where
// messages are small, with commit indexes far ahead of each piece.
func replaceTail(w *world) {
	l := w.anyLeader()
	if l == nil {
		return
	}
	w.settle(nil, 3)
	w.isolate(l.id)
	for n := 2 + w.rng.IntN(4); n > 0 && !w.isDead && l.up(); n-- {
		w.propose(l, w.payload())
	}
	w.workAll(l)
	next := w.other(l)
	if next == nil || w.isDead || !w.elect(next, nil) {
		clear(w.blocked)
		return
	}
	for n := 2 + w.rng.IntN(4); n > 0 && !w.isDead && next.up(); n-- {
		w.propose(next, w.payload())
		w.settle(nil, 1)
	}
	w.settle(nil, 3)
	clear(w.blocked)
	for i := 0; i < 6 && !w.isDead && next.up(); i++ {
		w.tickAll(next, next.settings.heartbeatTicks)
		w.settle(nil, 1)
		w.work(l)
	}
	w.settle(nil, 3)
}

// A node loses its disk and comes back under its old id. That is against the rules, and mostly ends in
// a panic; both sides have to behave alike all the same.
func wipe(w *world) {
	if !chance(w.rng, 0.1) {
		return
	}
	h := w.hosts[w.rng.IntN(len(w.hosts))]
	if !h.up() {
		return
	}
	w.mark(markWiped)
	w.crash(h)
	w.giveDisk(h, nil)
	h.firstMembers = nil
	w.start(h, h.settings, nil, 0, false)
	for i := 0; i < 3 && !w.isDead; i++ {
		w.settle(nil, 2)
		if l := w.leader(); l != nil && !w.isDead {
			w.tickAll(l, l.settings.heartbeatTicks)
		}
	}
}

func crashMany(w *world) {
	for _, h := range w.hosts {
		if h.up() && chance(w.rng, 0.6) {
			w.crash(h)
		}
	}
	for _, h := range w.hosts {
		if !h.up() && !w.isDead && chance(w.rng, 0.8) {
			w.restart(h)
		}
	}
}

// strangerID belongs to no node: what is sent to it is lost.
const strangerID = 99

// craftedMessage hands a node a message that no healthy node sends just now: old, strange, or for
// nobody.
func (w *world) craftedMessage(h *host) {
	// Term 0 marks a local message; nothing from a network has it.
	term := max(1, h.last.term)
	from := w.someID()
	make := func(typ pb.MessageType, fill func(m *pb.Message)) *pb.Message {
		m := &pb.Message{Type: typ.Enum(), To: new(h.id), From: new(from), Term: new(term)}
		fill(m)
		return m
	}
	nothing := func(*pb.Message) {}
	lower := func(m *pb.Message) {
		if term > 1 {
			m.Term = new(term - 1)
		}
	}
	var m *pb.Message
	switch w.rng.IntN(15) {
	case 14:
		// A report of storage work that was none.
		w.step(h, pick(w.rng,
			&pb.Message{Type: pb.MsgStorageApplyResp.Enum(), To: new(h.id), From: new(raft.LocalApplyThread)},
			&pb.Message{Type: pb.MsgStorageAppendResp.Enum(), To: new(h.id), From: new(raft.LocalAppendThread), Term: new(term)},
		))
		return
	case 0:
		local := pick(w.rng, pb.MsgHup, pb.MsgBeat, pb.MsgUnreachable, pb.MsgSnapStatus, pb.MsgCheckQuorum,
			pb.MsgStorageAppend, pb.MsgStorageAppendResp, pb.MsgStorageApply, pb.MsgStorageApplyResp)
		m = make(local, nothing)
	case 1:
		from = strangerID
		response := pick(w.rng, pb.MsgAppResp, pb.MsgVoteResp, pb.MsgHeartbeatResp, pb.MsgReadIndexResp, pb.MsgPreVoteResp)
		m = make(response, nothing)
	case 2:
		m = make(pick(w.rng, pb.MsgApp, pb.MsgHeartbeat, pb.MsgSnap, pb.MsgTimeoutNow, pb.MsgReadIndexResp), lower)
	case 3:
		// With a made-up log, so the vote must go to nobody who could use it.
		from = strangerID
		m = make(pick(w.rng, pb.MsgVote, pb.MsgPreVote), func(m *pb.Message) {
			m.Term = new(max(1, term+uint64(w.rng.IntN(3))))
			m.Index = new(uint64(w.rng.IntN(30)))
			m.LogTerm = new(uint64(w.rng.IntN(int(term) + 1)))
			if chance(w.rng, 0.3) {
				m.Context = []byte("CampaignTransfer")
			}
		})
	case 4:
		m = make(pb.MsgTimeoutNow, nothing)
	case 5:
		m = make(pb.MsgReadIndexResp, func(m *pb.Message) {
			for n := pick(w.rng, 0, 2, 3); n > 0; n-- {
				m.Entries = append(m.Entries, &pb.Entry{Data: []byte{1}})
			}
		})
	case 6:
		m = make(pb.MsgTransferLeader, func(m *pb.Message) { m.Term = nil })
	case 7:
		m = make(pb.MsgForgetLeader, func(m *pb.Message) { m.Term = nil })
	case 8:
		m = make(pick(w.rng, pb.MsgVote, pb.MsgPreVote), lower)
	case 9:
		// Several entries at once, changes of configuration among them.
		m = make(pb.MsgProp, func(m *pb.Message) {
			m.Term = nil
			for n := 2 + w.rng.IntN(3); n > 0; n-- {
				if chance(w.rng, 0.5) {
					m.Entries = append(m.Entries, &pb.Entry{Data: w.payload()})
					continue
				}
				change := w.confChange(h)
				if c := change.AsV2(); chance(w.rng, 0.2) {
					// A sender may leave a default out.
					for _, single := range c.Changes {
						if single.GetType() == pb.ConfChangeAddNode {
							single.Type = nil
						}
					}
					change = c
				}
				typ, data, err := pb.MarshalConfChange(change)
				check(err)
				m.Entries = append(m.Entries, &pb.Entry{Type: typ.Enum(), Data: data})
			}
		})
	case 10:
		if !h.leads() || from == h.id {
			return
		}
		// A rejection as nodes without hints send it, or one that is long out of date.
		m = make(pb.MsgAppResp, func(m *pb.Message) {
			last := h.disk.last()
			m.Reject = new(true)
			m.Index = new(uint64(w.rng.IntN(int(last) + 1)))
			m.RejectHint = new(uint64(w.rng.IntN(int(last) + 1)))
			m.LogTerm = new(uint64(w.rng.IntN(2)) * uint64(w.rng.IntN(int(term)+1)))
		})
	case 11:
		if h.leads() || h.last.lead == 0 || h.last.state != raft.StateFollower {
			return
		}
		// A snapshot that does not name its receiver, is older than what it holds, or holds nothing.
		from = h.last.lead
		m = make(pb.MsgSnap, func(m *pb.Message) {
			switch w.rng.IntN(3) {
			case 0:
				meta := &pb.SnapshotMetadata{
					Index: new(h.disk.last() + 5), Term: new(term), ConfState: &pb.ConfState{Voters: []uint64{90, 91}},
				}
				m.Snapshot = &pb.Snapshot{Metadata: meta}
			case 1:
				m.Snapshot = must(h.disk.MemoryStorage.Snapshot())
			}
		})
	case 12:
		m = make(pick(w.rng, pb.MsgPreVoteResp, pb.MsgVoteResp), func(m *pb.Message) {
			m.Term = new(term + uint64(w.rng.IntN(2)))
			m.Reject = new(true)
		})
	default:
		m = make(pb.MsgReadIndex, func(m *pb.Message) {
			m.Term = nil
			m.Entries = []*pb.Entry{{Data: []byte{3, byte(w.rng.IntN(3))}}}
		})
	}
	// A leader never hears of another one in its own term.
	fromLeader := ofType(pb.MsgApp, pb.MsgHeartbeat, pb.MsgSnap)(m)
	if fromLeader && m.GetTerm() == term && from != h.last.lead {
		return
	}
	w.step(h, m)
}

// impossibleChange removes all voters, changes two at once without a joint state, enters a joint state
// twice or leaves it unasked; or it is a random one, which is possible at times.
func (w *world) impossibleChange(h *host) pb.ConfChangeI {
	c := &pb.ConfChangeV2{}
	conf := h.conf()
	switch w.rng.IntN(4) {
	case 0:
		for _, id := range conf.GetVoters() {
			c.Changes = append(c.Changes, &pb.ConfChangeSingle{Type: pb.ConfChangeRemoveNode.Enum(), NodeId: new(id)})
		}
	case 1:
		if isJoint(conf) {
			c.Transition = pb.ConfChangeTransitionJointImplicit.Enum()
			c.Changes = append(c.Changes, w.singleChange(h))
		}
	case 2:
		for _, id := range conf.GetVoters() {
			return &pb.ConfChange{Type: pb.ConfChangeRemoveNode.Enum(), NodeId: new(id)}
		}
	default:
		return w.confChange(h)
	}
	return c
}

// misuse does what the contract forbids; the library panics, and so must the other side.
func (w *world) misuse() {
	up := w.upHosts()
	if len(up) == 0 {
		return
	}
	h := up[w.rng.IntN(len(up))]
	if l := w.leader(); l != nil && chance(w.rng, 0.5) {
		h = l
	}
	switch w.rng.IntN(6) {
	case 5:
		w.applyConf(h, w.impossibleChange(h))
	case 0:
		w.step(h, &pb.Message{Type: pb.MsgProp.Enum(), From: new(h.id)})
	case 1:
		w.step(h, &pb.Message{Type: pb.MsgProp.Enum(), From: new(h.id), Entries: []*pb.Entry{{
			Type: pick(w.rng, pb.EntryConfChange, pb.EntryConfChangeV2).Enum(), Data: []byte{0xff},
		}}})
	case 2:
		if h.last.state == raft.StateFollower && h.last.lead != 0 {
			w.step(h, &pb.Message{Type: pb.MsgHeartbeat.Enum(), From: new(h.last.lead), To: new(h.id),
				Term: new(h.last.term), Commit: new(uint64(1000))})
		}
	case 3:
		w.crash(h)
		last := h.disk.last()
		commit := pick(w.rng, last+1, h.disk.first()-min(2, h.disk.first()))
		hard := &pb.HardState{Term: new(h.disk.hard.GetTerm() + 1), Vote: new(uint64(0)), Commit: new(commit)}
		w.start(h, h.settings, hard, h.applied, true)
	default:
		w.crash(h)
		w.start(h, h.settings, h.disk.hard, h.disk.last()+1, true)
	}
}
