// Command oracle runs random scenarios on go.etcd.io/raft/v3 and writes a trace of each to standard
// output: the operations, and what the library did. Another implementation replays the operations and
// must do the same. Equal seeds give equal traces.
//
// Output: a header (length-prefixed names of the marks), then for each scenario its length as four
// bytes, little-endian, and its trace. See encode.go for the form of values, world.go for operations.
package main

import (
	"bufio"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
)

func main() {
	from := flag.Uint64("from", 1, "first seed")
	count := flag.Uint64("count", 1, "number of scenarios")
	panics := flag.Bool("panics", false, "print what the library panicked with")
	flag.Parse()
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	var header encoder
	header.uv(uint64(markCount))
	for _, name := range markNames {
		header.bytes([]byte(name))
	}
	write(out, header.b)
	for seed := *from; seed < *from+*count; seed++ {
		w := newWorld(seed)
		w.scenario()
		w.finish()
		if *panics && w.isDead {
			fmt.Fprintf(os.Stderr, "seed %d: %s\n", seed, w.panicText)
		}
		write(out, w.out.b)
	}
	check(out.Flush())
}

func write(out *bufio.Writer, b []byte) {
	check(binary.Write(out, binary.LittleEndian, uint32(len(b))))
	must(out.Write(b))
}

func (w *world) finish() {
	w.out.u8(opEnd)
	for _, n := range w.marks {
		w.out.uv(uint64(n))
	}
}
