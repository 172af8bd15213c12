package loop

import (
	"strings"
	"testing"
	"time"
)

// stuck is a protocol whose OnData waits until it is released.
type stuck struct {
	echo
	blocked, release chan struct{}
}

func (s stuck) Open(*Conn) Handler { return s }

func (s stuck) OnData(_ *Conn, in []byte) int {
	close(s.blocked)
	<-s.release
	return len(in)
}

func TestBlockedLoopIsDescribed(t *testing.T) {
	r := newRig(t)
	p := stuck{blocked: make(chan struct{}), release: make(chan struct{})}
	_, peer := r.open(unixPair, p)
	r.loop.index = 3
	end := running(t, r.loop)
	peer.send("x")
	receive(t, p.blocked, "the callback is called")
	r.now.Add(int64(2 * time.Second))
	err := r.loop.Blocked()
	if err.Loop != 3 || err.For != 2*time.Second || !strings.Contains(err.Stack, "stuck.OnData") {
		t.Errorf("%+v", err)
	}
	close(p.release)
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestBlockedErrorNamesTheFunctions(t *testing.T) {
	const stack = `goroutine 9 [sleep]:
runtime.gopark(0x1, 0x2)
	/go/src/runtime/proc.go:1 +0x1
time.Sleep(0x3b9aca00)
	/go/src/runtime/time.go:338 +0x165
example.org/shop/cart.(*Handler).load(...)
	/shop/cart/load.go:7
example.org/shop/cart.(*Handler).OnData(0xc000, {0x1, 0x2, 0x3})
	/shop/cart/cart.go:42 +0x20
github.com/eddynet/eddy/loop.(*Conn).deliver(0xc000)
	/eddy/loop/input.go:20 +0x30
created by github.com/eddynet/eddy.(*Engine).Run in goroutine 1
	/eddy/engine.go:90 +0x40
`
	for stack, want := range map[string]string{
		stack:             "loop 1 has been blocked for 1.5s by time.Sleep < cart.(*Handler).load < cart.(*Handler).OnData: move",
		"not taken: many": "loop 1 has not ended: it has been busy for 1.5s",
		"":                "loop 1 has not ended: it has been busy for 1.5s",
	} {
		err := &BlockedError{Loop: 1, For: 1500 * time.Millisecond, Stack: stack}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
