package loop

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/eddynet/eddy/internal/watchdog"
)

// heldRig is a rig with a watchdog that the test is.
type heldRig struct {
	*rig
	log bytes.Buffer
}

func newHeldRig(t *testing.T) *heldRig {
	r := &heldRig{rig: newRig(t)}
	r.loop.logger = slog.New(slog.NewJSONHandler(&r.log, nil))
	r.loop.clock = func() int64 { return r.now.Add(1) } // no two cycles begin at once
	r.loop.watch.watchdog = watchdog.New(100 * time.Millisecond)
	r.loop.watch.id.Store(watchdog.GoroutineID())
	return r
}

// hold is what a bad callback does: meanwhile the watchdog looks, every 50 ms.
func (r *heldRig) hold(d time.Duration) {
	for ; d > 0; d -= 50 * time.Millisecond {
		r.now.Add(int64(min(d, 50*time.Millisecond)))
		r.loop.Inspect()
	}
}

// record is a log line of the watchdog.
type record struct {
	Message                                       string `json:"msg"`
	Level                                         string
	Loop                                          int
	For                                           time.Duration
	Count                                         uint64
	Stack                                         string
	Callback, Remote, Handler, Protocol, Function string
}

func (r *heldRig) records() (all []record) {
	r.t.Helper()
	for line := range strings.Lines(r.log.String()) {
		var one record
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			r.t.Fatal(err)
		}
		one.For = one.For.Round(time.Millisecond)
		all = append(all, one)
	}
	return all
}

// pair expects a record of a callback that lasts, and one of its end.
func (r *heldRig) pair() (lasting, over record) {
	r.t.Helper()
	all := r.records()
	if len(all) != 2 {
		r.t.Fatalf("log: %s, want two lines", &r.log)
	}
	return all[0], all[1]
}

func (r *heldRig) slow() uint64 {
	r.loop.publish()
	return r.loop.Stats().SlowCallbacks
}

func TestHeldCallbackIsReportedWhileItLastsAndAfterwards(t *testing.T) {
	r := newHeldRig(t)
	_, peer := r.open(tcpPair, &script{data: func(c *Conn, in []byte) int {
		r.hold(130 * time.Millisecond)
		if lasting := r.records(); len(lasting) != 1 {
			t.Errorf("log while it lasts: %s, want one line", &r.log)
		}
		r.hold(20 * time.Millisecond)
		return len(in)
	}})
	r.loop.Inspect()
	peer.send("x")
	r.until("the callback has run", func() bool { return len(r.records()) > 1 })
	lasting, over := r.pair()
	if lasting.Level != "WARN" || lasting.For != 100*time.Millisecond ||
		!strings.Contains(lasting.Stack, "TestHeldCallbackIsReportedWhileItLastsAndAfterwards") {
		t.Errorf("while it lasts: %+v", lasting)
	}
	if over.Level != "WARN" || over.For != 150*time.Millisecond || over.Count != 1 ||
		over.Callback != "connection" || over.Handler != "*loop.script" || over.Remote == "" {
		t.Errorf("afterwards: %+v", over)
	}
	if got := r.slow(); got != 1 {
		t.Errorf("%d slow callbacks, want 1", got)
	}
}

func TestWhatHeldTheLoopIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		begin func(r *heldRig, hold func())
		want  record
	}{
		"timer": {
			func(r *heldRig, hold func()) { r.loop.After(time.Millisecond, hold); r.now.Add(2e6) },
			record{Callback: "timer", Function: "loop.TestWhatHeldTheLoopIsNamed"},
		},
		"posted": {
			func(r *heldRig, hold func()) { _ = r.loop.Post(hold) },
			record{Callback: "posted", Function: "loop.TestWhatHeldTheLoopIsNamed"},
		},
		"ref": {
			func(r *heldRig, hold func()) {
				c, _ := r.open(unixPair, &script{})
				_ = c.Ref().Do(func(*Conn) { hold() })
			},
			record{Callback: "connection", Handler: "*loop.script", Function: "loop.TestWhatHeldTheLoopIsNamed"},
		},
		"close": {
			func(r *heldRig, hold func()) {
				c, _ := r.open(unixPair, &script{closed: func(*Conn, error) { hold() }})
				c.Abort(nil)
			},
			record{Callback: "connection", Handler: "*loop.script"},
		},
		"timeout": {
			func(r *heldRig, hold func()) {
				c, _ := r.open(unixPair, withTimeout(&script{}, func(*Conn) { hold() }))
				c.SetTimeout(time.Millisecond)
				r.now.Add(2e6)
			},
			record{Callback: "connection", Handler: "loop.handling"},
		},
		"written to": {
			func(r *heldRig, hold func()) {
				c, _ := r.open(unixPair, &script{})
				_ = c.WriteOwned([]byte("x"), hold)
			},
			record{Callback: "connection", Handler: "*loop.script"},
		},
		"panic": {
			func(r *heldRig, hold func()) {
				_ = r.loop.Post(func() { hold(); panic("after all that") })
			},
			record{Callback: "posted", Function: "loop.TestWhatHeldTheLoopIsNamed"},
		},
		"dial": {
			func(r *heldRig, hold func()) {
				d := &dialing{loop: r.loop.Loop, address: "example.com:80", done: func(*Conn, error) { hold() },
					protocol: echo{}.Open, cancel: func() {}}
				d.token = r.loop.table.Add(d)
				d.end(errors.New("in vain"))
			},
			record{Callback: "dial", Protocol: "github.com/eddynet/eddy/loop.echo.Open-fm", Remote: "example.com:80"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newHeldRig(t)
			r.cycle() // its cycle begins now
			r.loop.Inspect()
			c.begin(r, func() { r.hold(time.Second) })
			r.until("it was called", func() bool { return r.slow() > 0 })
			var over record
			for _, one := range r.records() {
				if one.Callback != "" {
					over = one
				}
			}
			if over.Callback != c.want.Callback || over.Handler != c.want.Handler || over.Protocol != c.want.Protocol || over.For < 900*time.Millisecond ||
				!strings.Contains(over.Function, c.want.Function) || c.want.Remote != "" && over.Remote != c.want.Remote {
				t.Errorf("%+v, want %+v", over, c.want)
			}
		})
	}
}

// A cycle may be long without a callback that is.
func TestManyShortCallbacksAreNoHeldOne(t *testing.T) {
	r := newHeldRig(t)
	slow := &script{data: func(_ *Conn, in []byte) int {
		r.hold(40 * time.Millisecond)
		return len(in)
	}}
	for range 20 {
		_, peer := r.open(unixPair, slow)
		peer.send("x")
	}
	r.loop.Inspect()
	r.cycle()
	r.cycle()
	if r.slow() != 0 || r.log.Len() > 0 {
		t.Errorf("%d slow callbacks, log %s, want none", r.slow(), &r.log)
	}
	if got := r.loop.Stats().MaxLag; got.Round(time.Millisecond) != 800*time.Millisecond {
		t.Errorf("lag %v, want 800ms", got)
	}
}

func TestWaitingIsNotHolding(t *testing.T) {
	r := newHeldRig(t)
	r.hold(time.Minute) // before the first cycle
	r.cycle()
	r.hold(time.Minute)
	r.cycle()
	if r.slow() != 0 || r.log.Len() > 0 {
		t.Errorf("%d slow callbacks, log %s, want none", r.slow(), &r.log)
	}
}

func TestShortCallbackIsNotReported(t *testing.T) {
	r := newHeldRig(t)
	r.loop.Inspect()
	_ = r.loop.Post(func() { r.hold(99 * time.Millisecond) })
	r.cycle()
	if r.slow() != 0 || r.log.Len() > 0 {
		t.Errorf("%d slow callbacks, log %s, want none", r.slow(), &r.log)
	}
}

// A callback that nobody saw while it lasted is counted, if the mark came before it.
func TestSlowCallbackBetweenTwoInspections(t *testing.T) {
	r := newHeldRig(t)
	r.loop.Inspect()
	_ = r.loop.Post(func() { r.now.Add(int64(time.Second)) })
	r.cycle()
	if all := r.records(); len(all) != 1 || all[0].For != time.Second || r.slow() != 1 {
		t.Errorf("%d slow callbacks, log %s, want one of 1s", r.slow(), &r.log)
	}
}

func TestWithoutAWatchdogNothingIsCounted(t *testing.T) {
	r := newHeldRig(t)
	_ = r.loop.Post(func() { r.now.Add(int64(time.Second)) })
	r.cycle()
	if r.slow() != 0 || r.log.Len() > 0 {
		t.Errorf("%d slow callbacks, log %s, want none", r.slow(), &r.log)
	}
}

func TestSlowCallbacksAreAllCountedButNotAllLogged(t *testing.T) {
	r := newHeldRig(t)
	const times = 20
	for range times {
		r.loop.Inspect()
		_ = r.loop.Post(func() { r.hold(200 * time.Millisecond) })
		r.cycle()
	}
	if got := r.slow(); got != times {
		t.Errorf("%d slow callbacks, want %d", got, times)
	}
	lasting, over := 0, 0
	for _, one := range r.records() {
		if one.Stack != "" {
			lasting++
		} else {
			over++
		}
	}
	// 4 s have passed.
	if lasting < 3 || lasting > 5 || over < lasting || over > 2*lasting {
		t.Errorf("%d stacks, %d ends in the log, want about one each second", lasting, over)
	}
}

// The one that held the loop is named, though the outputs of others are written with its
// own.
func TestHolderOfABatchIsNamed(t *testing.T) {
	r := newHeldRig(t)
	called := 0
	var holder *Conn
	var peers []*socket
	for i := range maxBatch {
		c, peer := r.open(tcpPair, &script{data: func(c *Conn, in []byte) int {
			if called++; called == 2*maxBatch { // the watchdog looks in the second round only
				holder = c
				r.hold(150 * time.Millisecond)
			}
			return len(in)
		}})
		c.SetAddrs(&net.TCPAddr{IP: net.IPv4zero, Port: 1000 + i}, nil)
		peers = append(peers, peer)
	}
	for round := range 2 {
		for _, peer := range peers {
			peer.send("x")
		}
		r.until("all are called", func() bool { return called == (round+1)*maxBatch })
	}
	r.until("the slow one is reported", func() bool { return r.slow() > 0 })
	all := r.records()
	if got, want := all[len(all)-1].Remote, holder.peer.AddrPort().String(); !strings.Contains(got, want) {
		t.Errorf("the log names %s, want %s", got, want)
	}
}
