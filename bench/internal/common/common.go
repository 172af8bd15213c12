// Package common is shared by the measured servers: flags, response bodies, a clock for
// the Date field, and a report of their allocations.
package common

import (
	"bytes"
	"encoding/json"
	"flag"
	"log"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Text is the body of /plaintext.
const Text = "Hello, World!"

// Message is the body of /json, to be encoded for each request.
type Message struct {
	Message string `json:"message"`
}

// Hello returns the message.
func Hello() Message { return Message{Text} }

// Start parses the flags and answers SIGUSR1 and SIGUSR2 from now on with a line of
// Counts; SIGUSR2 first returns free memory to the kernel.
func Start() (address string, echo bool) {
	flag.StringVar(&address, "listen", "127.0.0.1:8080", "address to serve on")
	flag.BoolVar(&echo, "echo", false, "echo all input instead of serving HTTP")
	flag.Parse()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGUSR2)
	go func() {
		out := json.NewEncoder(os.Stdout)
		for s := range signals {
			if s == syscall.SIGUSR2 {
				debug.FreeOSMemory()
			}
			if err := out.Encode(count()); err != nil {
				log.Fatal(err)
			}
		}
	}()
	return address, echo
}

// Counts is the report of a server written in Go.
type Counts struct {
	Allocations uint64 `json:"allocations"` // since the start
}

func count() Counts {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Counts{m.Mallocs}
}

// BigMost is the largest body of /big, in bytes.
const BigMost = 10 << 20

// Big returns a function for the body of /big, which all responses share.
func Big() func(n int) []byte {
	all := sync.OnceValue(func() []byte { return bytes.Repeat([]byte("x"), BigMost) })
	return func(n int) []byte { return all()[:min(max(n, 0), BigMost)] }
}

// Number returns the number in a query such as n=5 or ms=5, or 0.
func Number(query string) int {
	_, value, _ := bytes.Cut([]byte(query), []byte("="))
	n, err := strconv.Atoi(string(value))
	if err != nil {
		return 0
	}
	return n
}

// Spun is the body of /spin.
const Spun = "spun"

// Spin uses the processor for some microseconds.
func Spin(us int) {
	for end := time.Now().Add(time.Duration(us) * time.Microsecond); time.Now().Before(end); {
	}
}

// Clock provides the Date field for servers without one, updated once a second. It may
// be used by any goroutine.
type Clock struct{ now atomic.Pointer[string] }

// NewClock returns a clock that runs until the program ends.
func NewClock() *Clock {
	c := &Clock{}
	set := func() {
		s := time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
		c.now.Store(&s)
	}
	set()
	go func() {
		for range time.Tick(time.Second) {
			set()
		}
	}()
	return c
}

// Now is the value of Date.
func (c *Clock) Now() string { return *c.now.Load() }
