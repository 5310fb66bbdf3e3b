// Loads etcd or ThemisDB with durable puts and prints one line of JSON with what came of it. The same
// program drives both, so that the client costs the same kind of work on both sides: N goroutines, each
// with one put in flight, fresh keys, values of a fixed size.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A target takes one put; the client is the number of the goroutine.
type target interface {
	put(client int, key string, value string) error
	close()
}

type report struct {
	Writes int `json:"writes"`
	// With those of the warm-up: what the processor time of the servers is spread over.
	AllWrites int     `json:"allWrites"`
	Failed    int     `json:"failed"`
	Error     string  `json:"error,omitempty"`
	Seconds   float64 `json:"seconds"`
	P50Ms     float64 `json:"p50Ms"`
	P99Ms     float64 `json:"p99Ms"`
	MaxMs     float64 `json:"maxMs"`
	ClientCPU float64 `json:"clientCpuSeconds"`
}

func main() {
	kind := flag.String("target", "etcd", "etcd (gRPC), gateway (etcd's JSON over HTTP) or themis (HTTP)")
	endpoints := flag.String("endpoints", "", "host:port, separated by commas")
	clients := flag.Int("clients", 1, "puts in flight")
	conns := flag.Int("conns", 0, "gRPC connections; 0: one for each client")
	seconds := flag.Float64("seconds", 10, "how long, after a warm-up of a tenth of it")
	size := flag.Int("size", 256, "bytes of a value")
	collection := flag.String("collection", "w12", "collection of ThemisDB; it must be there")
	flag.Parse()
	if *conns == 0 {
		*conns = *clients
	}
	to, err := open(*kind, strings.Split(*endpoints, ","), *conns, *collection)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer to.close()
	value := strings.Repeat("v", *size)
	warm := run(to, *clients, time.Duration(*seconds*float64(time.Second))/10, value, "warm")
	result := run(to, *clients, time.Duration(*seconds*float64(time.Second)), value, "key")
	result.AllWrites = warm.Writes + result.Writes
	line, _ := json.Marshal(result)
	fmt.Println(string(line))
}

func open(kind string, endpoints []string, conns int, collection string) (target, error) {
	switch kind {
	case "etcd":
		return openEtcd(endpoints, conns)
	case "gateway":
		return openHTTP(endpoints, gatewayRequest), nil
	case "themis":
		return openHTTP(endpoints, themisRequest(collection)), nil
	}
	return nil, fmt.Errorf("no target %s; there are etcd, gateway, themis", kind)
}

func run(to target, clients int, long time.Duration, value string, prefix string) report {
	type outcome struct {
		taken  []time.Duration
		failed int
		last   error
	}
	outcomes := make([]outcome, clients)
	var group sync.WaitGroup
	cpu := cpuSeconds()
	begin := time.Now()
	end := begin.Add(long)
	for client := range outcomes {
		group.Add(1)
		go func() {
			defer group.Done()
			mine := &outcomes[client]
			for n := 0; ; n++ {
				started := time.Now()
				if started.After(end) {
					return
				}
				err := to.put(client, fmt.Sprintf("%s-%d-%d-%d", prefix, os.Getpid(), client, n), value)
				if err != nil {
					mine.failed++
					mine.last = err
					continue
				}
				mine.taken = append(mine.taken, time.Since(started))
			}
		}()
	}
	group.Wait()
	result := report{Seconds: time.Since(begin).Seconds(), ClientCPU: cpuSeconds() - cpu}
	var all []time.Duration
	for _, one := range outcomes {
		all = append(all, one.taken...)
		result.Failed += one.failed
		if one.last != nil {
			result.Error = one.last.Error()
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	result.Writes = len(all)
	result.P50Ms, result.P99Ms, result.MaxMs = at(all, 0.50), at(all, 0.99), at(all, 1)
	return result
}

// Nearest rank, in milliseconds.
func at(sorted []time.Duration, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	index := int(math.Ceil(share*float64(len(sorted)))) - 1
	return float64(sorted[index].Microseconds()) / 1000
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Sec+usage.Stime.Sec) + float64(usage.Utime.Usec+usage.Stime.Usec)/1e6
}
