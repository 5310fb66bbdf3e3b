// Command library measures go.etcd.io/raft/v3 in the way src/measure.ts measures the core: three nodes in
// one goroutine, storage in memory, messages handed over as objects. It prints the figures as JSON.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"sort"
	"syscall"
	"time"

	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"
)

const (
	entryBytes    = 256
	rounds        = 5
	snapshotEvery = 10_000
)

type member struct {
	storage            *raft.MemoryStorage
	node               *raft.RawNode
	applied, compacted uint64
}

type group struct {
	members []*member
	queue   []*pb.Message
	steps   int
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func newGroup() *group {
	g := &group{}
	voters := []uint64{1, 2, 3}
	for _, id := range voters {
		storage := raft.NewMemoryStorage()
		check(storage.ApplySnapshot(&pb.Snapshot{Metadata: &pb.SnapshotMetadata{
			ConfState: &pb.ConfState{Voters: voters}, Index: new(uint64(1)), Term: new(uint64(1)),
		}}))
		node, err := raft.NewRawNode(&raft.Config{
			ID: id, ElectionTick: 10, HeartbeatTick: 1, Storage: storage,
			MaxSizePerMsg: 1 << 20, MaxCommittedSizePerReady: 1 << 62, MaxInflightMsgs: 256,
			CheckQuorum: true, PreVote: true, Logger: &raft.DefaultLogger{Logger: log.New(io.Discard, "", 0)},
		})
		check(err)
		g.members = append(g.members, &member{storage: storage, node: node})
	}
	check(g.members[0].node.Campaign())
	g.settle()
	return g
}

func (m *member) work(g *group) {
	rd := m.node.Ready()
	if !raft.IsEmptyHardState(rd.HardState) {
		check(m.storage.SetHardState(rd.HardState))
	}
	check(m.storage.Append(rd.Entries))
	g.queue = append(g.queue, rd.Messages...)
	if n := len(rd.CommittedEntries); n > 0 {
		m.applied = rd.CommittedEntries[n-1].GetIndex()
	}
	m.node.Advance(rd)
	if m.applied-m.compacted > snapshotEvery {
		m.compacted = m.applied - snapshotEvery/2
		check(m.storage.Compact(m.compacted))
	}
}

func (g *group) settle() {
	for busy := true; busy; {
		busy = false
		for _, m := range g.members {
			if m.node.HasReady() {
				m.work(g)
				busy = true
			}
		}
		messages := g.queue
		g.queue = nil
		for _, m := range messages {
			check(g.members[m.GetTo()-1].node.Step(m))
		}
		g.steps += len(messages)
	}
}

func (g *group) propose(data []byte, count int) {
	for range count {
		check(g.members[0].node.Propose(data))
	}
	g.settle()
}

func (g *group) tick() {
	for _, m := range g.members {
		m.node.Tick()
	}
	g.settle()
}

type sample struct{ events, steps float64 }

// processorTime is what the whole process has used, garbage collection included.
func processorTime() time.Duration {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// measure gives the median of some rounds, after one to warm up.
func measure(round func() (events, steps int)) sample {
	round()
	var samples []sample
	for range rounds {
		started := processorTime()
		events, steps := round()
		seconds := (processorTime() - started).Seconds()
		samples = append(samples, sample{float64(events) / seconds, float64(steps) / seconds})
	}
	sort.Slice(samples, func(i, j int) bool { return samples[i].events < samples[j].events })
	return samples[rounds/2]
}

func commits(inFlight, count int) sample {
	g := newGroup()
	data := bytes.Repeat([]byte{7}, entryBytes)
	return measure(func() (int, int) {
		before := g.steps
		for done := 0; done < count; done += inFlight {
			g.propose(data, inFlight)
		}
		return count, g.steps - before
	})
}

func main() {
	one := commits(1, 50_000)
	many := commits(64, 256_000)
	g := newGroup()
	heartbeats := measure(func() (int, int) {
		before := g.steps
		for range 50_000 {
			g.tick()
		}
		return 50_000, g.steps - before
	})
	type figure struct {
		Name      string  `json:"name"`
		PerSecond float64 `json:"perSecond"`
	}
	out, err := json.Marshal([]figure{
		{"commits, one at a time", one.events},
		{"commits, 64 in flight", many.events},
		{"steps, committing one at a time", one.steps},
		{"steps, heartbeats", heartbeats.steps},
	})
	check(err)
	fmt.Fprintln(os.Stdout, string(out))
}
