package main

import (
	"math"
	"math/rand/v2"

	"go.etcd.io/raft/v3"
)

const noLimit = math.MaxUint64

// settings is one node's configuration. Most scenarios give all nodes the same one.
type settings struct {
	electionTicks, heartbeatTicks                           int
	async                                                   bool
	messageBytesMax, applyingBytesMax, uncommittedBytesMax  uint64
	inflightMessagesMax                                     int
	inflightBytesMax                                        uint64
	checkQuorum, preVote, leaseReads                        bool
	disableForwarding, disableValidation, stepDownOnRemoval bool
}

func chance(rng *rand.Rand, p float64) bool { return rng.Float64() < p }

func pick[T any](rng *rand.Rand, items ...T) T { return items[rng.IntN(len(items))] }

func randomSettings(rng *rand.Rand) settings {
	s := settings{
		heartbeatTicks:      1 + rng.IntN(2),
		async:               chance(rng, 0.4),
		messageBytesMax:     pick[uint64](rng, 0, 1, 1, 20, 64, 64, 200, 1024, noLimit, noLimit),
		applyingBytesMax:    pick[uint64](rng, 0, 1, 30, 100, 1024, noLimit, noLimit),
		uncommittedBytesMax: pick[uint64](rng, 0, 0, noLimit, 10, 60, 300),
		inflightMessagesMax: pick(rng, 1, 1, 2, 3, 8, 256),
		checkQuorum:         chance(rng, 0.5),
		preVote:             chance(rng, 0.5),
		disableForwarding:   chance(rng, 0.15),
		disableValidation:   chance(rng, 0.08),
		stepDownOnRemoval:   chance(rng, 0.5),
	}
	// Without either limit the library would hand out entries of at most 0 bytes, and panic.
	if s.messageBytesMax == 0 && s.applyingBytesMax == 0 {
		s.applyingBytesMax = 1
	}
	s.electionTicks = s.heartbeatTicks + 1 + rng.IntN(8)
	s.leaseReads = s.checkQuorum && chance(rng, 0.3)
	switch {
	case chance(rng, 0.6):
	case s.messageBytesMax == noLimit:
		s.inflightBytesMax = noLimit
	default:
		s.inflightBytesMax = s.messageBytesMax + 1 + uint64(rng.IntN(200))
	}
	return s
}

// varied is the same configuration with some switches set otherwise, as in a group that is being
// reconfigured node by node.
func (s settings) varied(rng *rand.Rand) settings {
	switch rng.IntN(6) {
	case 0:
		s.preVote = !s.preVote
	case 1:
		s.checkQuorum = !s.checkQuorum || s.leaseReads
	case 2:
		s.async = !s.async
	case 3:
		s.stepDownOnRemoval = !s.stepDownOnRemoval
	case 4:
		s.disableForwarding = !s.disableForwarding
	case 5:
		s.electionTicks++
	}
	return s
}

func (s *settings) config(id uint64, storage raft.Storage, applied uint64) *raft.Config {
	c := &raft.Config{
		ID:                          id,
		ElectionTick:                s.electionTicks,
		HeartbeatTick:               s.heartbeatTicks,
		Storage:                     storage,
		Applied:                     applied,
		AsyncStorageWrites:          s.async,
		MaxSizePerMsg:               s.messageBytesMax,
		MaxCommittedSizePerReady:    s.applyingBytesMax,
		MaxUncommittedEntriesSize:   s.uncommittedBytesMax,
		MaxInflightMsgs:             s.inflightMessagesMax,
		MaxInflightBytes:            s.inflightBytesMax,
		CheckQuorum:                 s.checkQuorum,
		PreVote:                     s.preVote,
		Logger:                      quiet{},
		DisableProposalForwarding:   s.disableForwarding,
		DisableConfChangeValidation: s.disableValidation,
		StepDownOnRemoval:           s.stepDownOnRemoval,
	}
	if s.leaseReads {
		c.ReadOnlyOption = raft.ReadOnlyLeaseBased
	}
	return c
}
