package loop

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience bounds what must happen. No passing test waits it out.
const patience = 10 * time.Second

// rig is a loop whose cycles the test runs by hand, on a clock of its own: between
// two cycles the test may do what the loop's goroutine may.
type rig struct {
	t        *testing.T
	loop     *Loop
	now      atomic.Int64 // nanoseconds
	settings Settings
	logged   logBook
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, settings: testSettings()}
	r.now.Store(int64(time.Hour))
	r.loop = r.newLoop(NewLimit(1<<20, 0))
	return r
}

// newLoop makes a loop on the rig's clock, ended when the test is over.
func (r *rig) newLoop(limit *Limit) *Loop {
	r.t.Helper()
	l, err := New(Config{Logger: slog.New(&r.logged), Limit: limit, Clock: r.now.Load})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		if !l.inbox.ended {
			l.end()
		}
	})
	return l
}

func testSettings() Settings {
	return Settings{
		LowWater: 32 << 10, HighWater: 64 << 10, MaxOutput: 4 << 20, MaxInput: 1 << 20,
		IdleTimeout: 5 * time.Minute, WriteTimeout: 30 * time.Second,
		LingerTimeout: 5 * time.Second, LingerBytes: 64 << 20, DrainGrace: time.Second / 2,
	}
}

// cycle runs one cycle, which does not wait.
func (r *rig) cycle() {
	r.t.Helper()
	cycle(r.t, r.loop)
}

func cycle(t *testing.T, l *Loop) {
	t.Helper()
	if err := l.poller.Wake(); err != nil {
		t.Fatal(err)
	}
	if err := l.cycle(); err != nil {
		t.Fatal(err)
	}
	l.publish() // as before the next wait
}

// until runs cycles until the condition holds: packets may take their time.
func (r *rig) until(what string, condition func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(patience); !condition(); runtime.Gosched() {
		if time.Now().After(deadline) {
			r.t.Fatalf("still not so after %v: %s", patience, what)
		}
		r.cycle()
	}
}

// pass lets time pass, and the loop see it.
func (r *rig) pass(d time.Duration) {
	r.t.Helper()
	r.now.Add(int64(d))
	r.cycle()
	r.cycle()
}

// take has the peer read n bytes, or up to the end, while the clock stands still.
func (r *rig) take(peer *socket, n int) {
	r.t.Helper()
	want := len(peer.got) + n
	r.until("the peer gets its bytes", func() bool {
		peer.pull(want - len(peer.got))
		return len(peer.got) >= want || peer.eof || peer.err != nil
	})
}

// quiet holds that the loop would sleep now: nothing to do, and no event to wake
// it up at once. A loop that is not quiet spins.
func (r *rig) quiet() {
	r.t.Helper()
	for range 5 {
		if d := r.loop.timeout(); d == 0 {
			r.t.Fatal("the loop does not sleep: it has something to do")
		}
		events, err := r.loop.poller.Wait(0)
		if err != nil {
			r.t.Fatal(err)
		}
		if len(events) != 0 {
			r.t.Fatalf("the loop does not sleep: events %+v", events)
		}
	}
}

// settled runs the cycles that the loop still asks for, which must end.
func (r *rig) settled() {
	r.t.Helper()
	for range 20 {
		r.cycle()
	}
	r.quiet()
}

// open puts one end of a new pair on the loop, and returns the connection and the
// other end.
func (r *rig) open(pair pairKind, p Protocol) (*Conn, *socket) {
	r.t.Helper()
	ours, theirs := pair.make(r.t)
	return r.adopt(ours, p), theirs
}

// adopt puts a socket on the loop, which owns it from now on.
func (r *rig) adopt(s *socket, p Protocol) *Conn {
	r.t.Helper()
	settings := r.settings // of this connection: a test may change the next one's
	r.loop.limit.served.take()
	r.loop.open(s.release(), endpoint{}, &Service{loop: r.loop, protocol: p, settings: &settings})
	all := r.loop.table.conns()
	for _, c := range all {
		if c.settings == &settings {
			return c
		}
	}
	r.t.Fatal("the connection did not stay open")
	return nil
}

// script is a protocol for tests: it notes what is called, and does as told. The
// optional parts of a protocol are in the types around it.
type script struct {
	open   func(c *Conn)
	data   func(c *Conn, in []byte) int // nil uses everything
	closed func(c *Conn, err error)

	calls []string // "open", "data:hello", "close:cause"
	input []byte   // what was used
}

func (s *script) OnOpen(c *Conn) {
	s.calls = append(s.calls, "open")
	if s.open != nil {
		s.open(c)
	}
}

func (s *script) OnData(c *Conn, in []byte) int {
	text := string(in)
	if len(in) > 40 {
		text = fmt.Sprintf("%d bytes", len(in))
	}
	s.calls = append(s.calls, "data:"+text)
	used := len(in)
	if s.data != nil {
		used = s.data(c, in)
	}
	if used >= 0 && used <= len(in) {
		s.input = append(s.input, in[:used]...)
	}
	return used
}

func (s *script) OnClose(c *Conn, err error) {
	s.calls = append(s.calls, fmt.Sprintf("close:%v", err))
	if s.closed != nil {
		s.closed(c, err)
	}
}

func (s *script) note(call string) { s.calls = append(s.calls, call) }

func (s *script) count(prefix string) (n int) {
	for _, call := range s.calls {
		if strings.HasPrefix(call, prefix) {
			n++
		}
	}
	return n
}

func (s *script) ended() bool { return s.count("close:") > 0 }

func (s *script) expect(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(s.calls, want) {
		t.Fatalf("calls %q, want %q", s.calls, want)
	}
}

// The optional parts: each notes the call and does as told.

type withEOF struct {
	*script
	eof func(c *Conn)
}

func (p withEOF) OnEOF(c *Conn) { p.script.optional("eof", p.eof, c) }

type withHangup struct {
	*script
	hangup func(c *Conn)
}

func (p withHangup) OnHangup(c *Conn) { p.script.optional("hangup", p.hangup, c) }

type withDrain struct {
	*script
	drain func(c *Conn)
}

func (p withDrain) OnDrain(c *Conn) { p.script.optional("drain", p.drain, c) }

type withTimeout struct {
	*script
	timeout func(c *Conn)
}

func (p withTimeout) OnTimeout(c *Conn) { p.script.optional("timeout", p.timeout, c) }

type withShutdown struct {
	*script
	shutdown func(c *Conn)
}

func (p withShutdown) OnShutdown(c *Conn) { p.script.optional("shutdown", p.shutdown, c) }

func (s *script) optional(name string, fn func(*Conn), c *Conn) {
	s.note(name)
	if fn != nil {
		fn(c)
	}
}

// echo is the least protocol that answers.
type echo struct{}

func (echo) OnOpen(*Conn)         {}
func (echo) OnClose(*Conn, error) {}
func (echo) OnData(c *Conn, in []byte) int {
	_, _ = c.Write(in) // a failure ends the connection by itself
	return len(in)
}

// logBook keeps log lines.
type logBook struct {
	mu    sync.Mutex
	lines []string
}

func (b *logBook) Enabled(context.Context, slog.Level) bool { return true }
func (b *logBook) WithAttrs([]slog.Attr) slog.Handler       { return b }
func (b *logBook) WithGroup(string) slog.Handler            { return b }

func (b *logBook) Handle(_ context.Context, record slog.Record) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, record.Message)
	return nil
}

func (b *logBook) count(part string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, line := range b.lines {
		if strings.Contains(line, part) {
			n++
		}
	}
	return n
}

// pattern is n bytes without a short period.
func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i + i>>8*7 + i>>16*13)
	}
	return p
}

// descriptorOpen says whether fd is open in this process.
func descriptorOpen(fd int) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil
}
