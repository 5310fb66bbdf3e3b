package main

import (
	"slices"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

// weather is how the network treats messages in one scenario.
type weather struct {
	loss, duplication, delay, reorder float64
	delayMax                          int
}

const idMax = 7

// scenario plays one seed: a group, a walk of random operations with recipes for rare events strewn
// in, and an end that is healed, misused or simply cut off.
func (w *world) scenario() {
	w.setUp()
	walk := w.makeWalk()
	steps := 60 + w.rng.IntN(260)
	for i := 0; i < steps && !w.isDead; i++ {
		walk.step()
	}
	if w.isDead {
		return
	}
	w.end()
}

func (w *world) setUp() {
	w.weather = weather{
		loss:        pick(w.rng, 0, 0, 0.02, 0.1, 0.25),
		duplication: pick(w.rng, 0, 0, 0.05, 0.2),
		delay:       pick(w.rng, 0, 0.1, 0.3),
		delayMax:    pick(w.rng, 0, 20, 100),
		reorder:     pick(w.rng, 0, 0.1, 0.5, 1),
	}
	for id := uint64(1); id <= idMax; id++ {
		w.hosts = append(w.hosts, &host{id: id})
	}
	size := pick(w.rng, 1, 2, 3, 3, 3, 4, 5, 5, 6, 7)
	common := randomSettings(w.rng)
	if chance(w.rng, 0.1) {
		// Overwritten entries take two leaders that both had followers, and slow writes.
		size, common.async, w.weather.loss = 5, true, 0
	}
	for _, h := range w.hosts {
		h.settings = common
		if chance(w.rng, 0.08) {
			h.settings = common.varied(w.rng)
		}
	}
	// How the group comes into being: from a snapshot, by bootstrap entries, or from a configuration
	// that every node is given beforehand.
	switch x := w.rng.Float64(); {
	case x < 0.6:
		w.setUpFromSnapshot(size, pick[uint64](w.rng, 1, 1, 2, 3, 5, 8))
	case x < 0.85:
		w.setUpByBootstrap(min(size, 5))
	default:
		w.setUpFromSnapshot(size, 0)
	}
}

func (w *world) setUpFromSnapshot(size int, index uint64) {
	conf := w.firstConf(size)
	meta := &pb.SnapshotMetadata{ConfState: conf, Index: new(index), Term: new(uint64(0))}
	var hard *pb.HardState
	if index > 0 {
		meta.Term = new(1 + uint64(w.rng.IntN(3)))
		hard = &pb.HardState{Term: meta.Term, Vote: new(uint64(0)), Commit: new(index)}
	}
	snapshot := &pb.Snapshot{Data: []byte{0}, Metadata: meta}
	for _, h := range w.hosts {
		isMember := slices.Contains(members(conf), h.id)
		// At index 0 the log tells nothing about the first configuration: who joins must know it.
		if isMember || index == 0 {
			w.giveDisk(h, snapshot)
			w.start(h, h.settings, hard, index, chance(w.rng, 0.5))
		} else {
			w.giveDisk(h, nil)
			w.start(h, h.settings, nil, 0, false)
		}
	}
}

func (w *world) firstConf(size int) *pb.ConfState {
	conf := pb.EnsureConfState(nil)
	for id := uint64(1); id <= uint64(size); id++ {
		if id > 1 && chance(w.rng, 0.15) {
			conf.Learners = append(conf.Learners, id)
		} else {
			conf.Voters = append(conf.Voters, id)
		}
	}
	if len(conf.Voters) > 1 && chance(w.rng, 0.05) {
		conf.VotersOutgoing = slices.Clone(conf.Voters)
		conf.Voters = conf.Voters[1:]
		conf.AutoLeave = new(chance(w.rng, 0.5))
	}
	return conf
}

func (w *world) setUpByBootstrap(size int) {
	var ids []uint64
	for id := uint64(1); id <= uint64(size); id++ {
		ids = append(ids, id)
	}
	for _, h := range w.hosts {
		w.giveDisk(h, nil)
		w.start(h, h.settings, nil, 0, false)
		if h.id <= uint64(size) {
			w.bootstrap(h, ids)
		}
	}
}

// walk is a choice of actions with weights drawn per scenario (a swarm): leaving some out altogether
// leads to places that an even mixture never reaches.
type walk struct {
	w       *world
	actions []func()
	weights []float64
	total   float64
}

func (w *world) makeWalk() *walk {
	s := &walk{w: w}
	add := func(weight float64, swarm bool, run func()) {
		if swarm {
			weight *= pick(w.rng, 0, 0.3, 1, 1, 3)
		}
		s.actions = append(s.actions, run)
		s.weights = append(s.weights, weight)
		s.total += weight
	}
	add(30, false, w.someWork)
	add(25, false, w.someDelivery)
	add(12, false, func() { w.onUp(w.tick) })
	add(6, true, func() { w.settle(nil, 3) })
	add(1.5, false, func() { w.onUp(w.campaign) })
	add(6, true, w.someProposal)
	add(2, true, w.someConfChange)
	add(2.5, true, w.someRead)
	add(0.8, true, func() { w.onUp(func(h *host) { w.transfer(h, w.someID()) }) })
	add(0.4, true, func() { w.onUp(w.forget) })
	add(0.8, true, w.someCrash)
	add(1.5, false, w.someRestart)
	add(1.2, true, w.someSnapshot)
	add(0.6, true, w.somePartition)
	add(0.6, false, func() { clear(w.blocked) })
	add(0.6, true, func() { w.onUp(func(h *host) { w.unreachable(h, w.someID()) }) })
	add(0.6, true, func() { w.onUp(func(h *host) { w.reportSnapshot(h, w.someID(), chance(w.rng, 0.5)) }) })
	add(0.3, true, func() { w.onUp(func(h *host) { w.setSnapshotPending(h, !h.disk.snapshotIsPending) }) })
	add(1.2, true, func() { w.onUp(w.craftedMessage) })
	add(3, false, func() { w.onUp(w.status) })
	favourite := w.rng.IntN(2 * len(recipes)) // none in half of the scenarios
	for i, recipe := range recipes {
		add(0.25, true, func() { recipe(w) })
		if i == favourite {
			add(2.5, false, func() { recipe(w) })
		}
	}
	return s
}

func (s *walk) step() {
	x := s.w.rng.Float64() * s.total
	for i, weight := range s.weights {
		if x -= weight; x < 0 {
			s.actions[i]()
			return
		}
	}
}

func (w *world) upHosts() []*host {
	return slices.DeleteFunc(slices.Clone(w.hosts), func(h *host) bool { return !h.up() })
}

// onUp runs an action on a random node that is up, members before strangers.
func (w *world) onUp(run func(h *host)) {
	up := w.upHosts()
	if len(up) == 0 || w.isDead {
		return
	}
	for try := 0; try < 3; try++ {
		h := up[w.rng.IntN(len(up))]
		if h.isMember(h.id) || try == 2 {
			run(h)
			return
		}
	}
}

func (w *world) someID() uint64 {
	if chance(w.rng, 0.03) {
		return 0
	}
	return 1 + uint64(w.rng.IntN(idMax))
}

// leader is the node that leads in the highest term, or nil.
func (w *world) leader() *host {
	var best *host
	for _, h := range w.hosts {
		if h.leads() && (best == nil || h.last.term > best.last.term) {
			best = h
		}
	}
	return best
}

// Driving nodes.

func (w *world) someWork() {
	up := w.upHosts()
	if len(up) == 0 {
		return
	}
	h := up[w.rng.IntN(len(up))]
	if chance(w.rng, 0.5) {
		w.workAll(h)
	} else {
		w.work(h)
	}
}

func (w *world) workAll(h *host) {
	for i := 0; i < 24 && w.work(h); i++ {
	}
}

// work does one step of what a node has to do; false where there is none.
func (w *world) work(h *host) bool {
	if !h.up() || w.isDead {
		return false
	}
	if h.settings.async {
		return w.workAsync(h)
	}
	switch {
	case h.rd == nil:
		if !h.rn.HasReady() {
			return false
		}
		w.ready(h)
	case !h.persisted:
		if h.appendIsHeld {
			return false
		}
		w.persist(h)
	case !h.delivered:
		if h.applyIsHeld && len(h.rd.CommittedEntries) > 0 {
			return false
		}
		w.apply(h)
	default:
		w.advance(h)
	}
	return true
}

func (w *world) workAsync(h *host) bool {
	var can []func()
	if h.rn.HasReady() {
		can = append(can, func() { w.ready(h) })
	}
	if len(h.appendWork) > 0 && !h.appendIsHeld {
		can = append(can, func() { w.appendThread(h) })
	}
	if len(h.applyWork) > 0 && !h.applyIsHeld {
		can = append(can, func() { w.applyThread(h) })
	}
	if len(h.appendDone) > 0 && !h.appendIsHeld {
		can = append(can, func() { w.respond(h, opAppendResp, &h.appendDone) })
	}
	if len(h.applyDone) > 0 && !h.applyIsHeld {
		can = append(can, func() { w.respond(h, opApplyResp, &h.applyDone) })
	}
	if len(can) == 0 {
		return false
	}
	can[w.rng.IntN(len(can))]()
	return true
}

func (w *world) someDelivery() {
	var can []int
	for i, p := range w.net {
		if w.mayDeliver(p) {
			can = append(can, i)
		}
	}
	if len(can) == 0 {
		return
	}
	at := can[0]
	if chance(w.rng, w.weather.reorder) {
		at = can[w.rng.IntN(len(can))]
		w.markIf(markReordered, at != can[0])
	}
	w.deliver(at)
}

// settle lets all nodes work and the network deliver, except what `hold` holds back, for some rounds
// or until nothing moves.
func (w *world) settle(hold func(m *pb.Message) bool, rounds int) {
	for i := 0; i < rounds && !w.isDead; i++ {
		moved := false
		for _, h := range w.hosts {
			if h.up() && w.work(h) {
				moved = true
				w.workAll(h)
			}
		}
		for j := 0; j < len(w.net) && !w.isDead; {
			p := w.net[j]
			p.due = 0
			if hold != nil && hold(p.m) || !w.mayDeliver(p) {
				j++
				continue
			}
			w.deliver(j)
			moved = true
		}
		if !moved {
			return
		}
	}
}

// elect tries to make a node leader.
func (w *world) elect(h *host, hold func(m *pb.Message) bool) bool {
	if !h.up() {
		return false
	}
	// The leases of the others have to run out first.
	if h.settings.checkQuorum && chance(w.rng, 0.7) {
		for _, other := range w.upHosts() {
			for i := 0; i < other.settings.electionTicks && !other.leads() && !w.isDead; i++ {
				w.tick(other)
			}
		}
	}
	if !w.isDead {
		w.campaign(h)
	}
	w.settle(hold, 6)
	return !w.isDead && h.leads()
}

// anyLeader is the present leader, or a new one.
func (w *world) anyLeader() *host {
	if l := w.leader(); l != nil || w.isDead {
		return l
	}
	clear(w.blocked)
	for try := 0; try < 4 && !w.isDead; try++ {
		for _, h := range w.hosts {
			if !h.up() {
				w.restart(h)
			}
		}
		h := w.hosts[w.rng.IntN(len(w.hosts))]
		if !w.isDead && slices.Contains(h.conf().GetVoters(), h.id) && w.elect(h, nil) {
			return h
		}
	}
	return nil
}

// Requests.

func (w *world) someProposal() {
	h := w.leader()
	if h == nil || chance(w.rng, 0.3) {
		up := w.upHosts()
		if len(up) == 0 {
			return
		}
		h = up[w.rng.IntN(len(up))]
	}
	n := 1
	if chance(w.rng, 0.15) {
		n = 2 + w.rng.IntN(3)
	}
	payloads := make([][]byte, n)
	for i := range payloads {
		payloads[i] = w.payload()
	}
	w.propose(h, payloads...)
}

func (w *world) payload() []byte {
	if chance(w.rng, 0.05) {
		return nil
	}
	size := pick(w.rng, 0, 1, 3, 5, 8, 8, 20, 60, 130)
	w.proposals++
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(w.proposals)
	}
	return data
}

func (w *world) someRead() {
	context := []byte{byte(len(w.contexts)), 1}
	if n := len(w.contexts); n > 0 && chance(w.rng, 0.35) {
		context = w.contexts[w.rng.IntN(n)]
	}
	if h := w.leader(); h != nil && chance(w.rng, 0.6) {
		w.readIndex(h, context)
		return
	}
	w.onUp(func(h *host) { w.readIndex(h, context) })
}

func (w *world) someConfChange() {
	h := w.leader()
	if h == nil || chance(w.rng, 0.1) {
		up := w.upHosts()
		if len(up) == 0 {
			return
		}
		h = up[w.rng.IntN(len(up))]
	}
	w.proposeConf(h, w.confChange(h))
}

func (w *world) confChange(h *host) pb.ConfChangeI {
	if isJoint(h.conf()) && chance(w.rng, 0.6) || chance(w.rng, 0.04) {
		c := &pb.ConfChangeV2{}
		if chance(w.rng, 0.3) {
			c.Context = []byte("left")
		}
		if chance(w.rng, 0.1) {
			c.Transition = pb.ConfChangeTransitionJointExplicit.Enum()
		}
		return c
	}
	if chance(w.rng, 0.35) {
		single := w.singleChange(h)
		c := &pb.ConfChange{Type: single.Type, NodeId: single.NodeId}
		if chance(w.rng, 0.2) {
			c.Id = new(uint64(w.rng.IntN(1000)))
			c.Context = []byte("c")
		}
		return c
	}
	c := &pb.ConfChangeV2{}
	for n := pick(w.rng, 1, 1, 2, 2, 3, 4); n > 0; n-- {
		c.Changes = append(c.Changes, w.singleChange(h))
	}
	switch w.rng.IntN(5) {
	case 0:
		c.Transition = pb.ConfChangeTransitionAuto.Enum()
	case 1:
		c.Transition = pb.ConfChangeTransitionJointImplicit.Enum()
	case 2, 3:
		c.Transition = pb.ConfChangeTransitionJointExplicit.Enum()
	}
	return c
}

func (w *world) singleChange(h *host) *pb.ConfChangeSingle {
	single := func(typ pb.ConfChangeType, id uint64) *pb.ConfChangeSingle {
		return &pb.ConfChangeSingle{Type: typ.Enum(), NodeId: new(id)}
	}
	id := w.someID()
	if chance(w.rng, 0.06) {
		return single(pb.ConfChangeUpdateNode, id)
	}
	isMember := h.isMember(id)
	removal := 0.25
	if len(h.conf().GetVoters()) > 4 {
		removal = 0.6
	}
	if isMember && chance(w.rng, removal) {
		return single(pb.ConfChangeRemoveNode, id)
	}
	if chance(w.rng, 0.4) {
		return single(pb.ConfChangeAddLearnerNode, id)
	}
	return single(pb.ConfChangeAddNode, id)
}

// Mishaps.

func (w *world) someCrash() {
	if h := w.hosts[w.rng.IntN(len(w.hosts))]; h.up() {
		w.crash(h)
		if chance(w.rng, 0.4) {
			w.restart(h)
		}
	}
}

func (w *world) someRestart() {
	for _, h := range w.hosts {
		if !h.up() && chance(w.rng, 0.5) && !w.isDead {
			w.restart(h)
		}
	}
}

// restart starts a node from what its disk holds. The application may have lost its last steps, and
// the disk a commit index that came without anything that had to be durable.
func (w *world) restart(h *host) {
	first, snapshot := h.disk.first(), h.disk.snapshotIndex()
	tell := chance(w.rng, 0.85)
	applied := h.applied
	switch {
	case !tell:
		applied = first - 1
	case chance(w.rng, 0.3):
		applied = first - 1 + uint64(w.rng.IntN(int(h.applied-(first-1))+1))
	}
	w.markIf(markRestartReplays, applied < h.applied)
	hard := h.disk.hard
	if chance(w.rng, 0.5) {
		w.markIf(markRestartCommitLost, h.disk.synced.GetCommit() < hard.GetCommit())
		hard = h.disk.synced
	}
	if !raft.IsEmptyHardState(hard) {
		commit := max(hard.GetCommit(), applied, snapshot, first-1)
		hard = &pb.HardState{Term: hard.Term, Vote: hard.Vote, Commit: new(commit)}
	}
	s := h.settings
	if chance(w.rng, 0.05) {
		s = s.varied(w.rng)
	}
	w.markIf(markRestartJoint, isJoint(h.confAt(applied)))
	w.start(h, s, hard, applied, tell)
	// A first member that got no further than this must not grow its membership entry by entry: after
	// the first it would be a group of its own.
	if h.firstMembers != nil && h.disk.last() == 0 && !w.isDead {
		w.bootstrap(h, h.firstMembers)
	}
}

func (w *world) someSnapshot() {
	h := w.hosts[w.rng.IntN(len(w.hosts))]
	if l := w.leader(); l != nil && chance(w.rng, 0.6) {
		h = l
	}
	w.snapshotAndCompact(h, 0)
}

// snapshotAndCompact makes a snapshot at most `behind` entries behind what is applied (anywhere where
// `behind` is 0), and mostly drops the log before it.
func (w *world) snapshotAndCompact(h *host, behind uint64) {
	if !h.up() || w.isDead {
		return
	}
	// What the node has not been told to be applied it may still read.
	applied := min(h.applied, h.rn.BasicStatus().Applied, h.disk.last())
	lowest := h.disk.snapshotIndex() + 1
	if behind > 0 {
		lowest = max(lowest, applied-min(applied, behind))
	}
	if lowest <= applied && chance(w.rng, 0.9) {
		w.snapshot(h, lowest+uint64(w.rng.IntN(int(applied-lowest)+1)))
	}
	first, snapshot := h.disk.first(), min(h.disk.snapshotIndex(), applied)
	if snapshot >= first && chance(w.rng, 0.85) {
		at := snapshot
		if chance(w.rng, 0.3) {
			at = first + uint64(w.rng.IntN(int(snapshot-first)+1))
		}
		w.compact(h, at)
	}
}

func (w *world) somePartition() {
	a, b := w.someID(), w.someID()
	switch w.rng.IntN(3) {
	case 0:
		w.blocked[[2]uint64{a, b}] = true
		w.mark(markOneWay)
	case 1:
		w.isolate(a)
	case 2:
		side := w.rng.IntN(1 << idMax)
		for i := range uint64(idMax) {
			for j := range uint64(idMax) {
				if side>>i&1 != side>>j&1 {
					w.blocked[[2]uint64{i + 1, j + 1}] = true
				}
			}
		}
	}
}

func (w *world) isolate(id uint64) {
	for other := uint64(1); other <= idMax; other++ {
		if other != id {
			w.blocked[[2]uint64{id, other}] = true
			w.blocked[[2]uint64{other, id}] = true
		}
	}
}

// end heals and compares everything once more, or misuses the library, which has to panic.
func (w *world) end() {
	if chance(w.rng, 0.15) {
		w.misuse()
		return
	}
	if chance(w.rng, 0.3) {
		return
	}
	clear(w.blocked)
	w.weather = weather{}
	for _, h := range w.hosts {
		h.appendIsHeld, h.applyIsHeld = false, false
		if !h.up() && !w.isDead {
			w.restart(h)
		}
	}
	w.settle(nil, 8)
	for _, h := range w.upHosts() {
		for i := 0; i < h.settings.heartbeatTicks && !w.isDead; i++ {
			w.tick(h)
		}
	}
	w.settle(nil, 6)
	for _, h := range w.upHosts() {
		if !w.isDead {
			w.status(h)
		}
	}
}
