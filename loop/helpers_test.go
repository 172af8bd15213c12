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

	"github.com/eddynet/eddy/internal/sockets"
)

// patience bounds what must happen. No passing test waits it out.
const patience = 10 * time.Second

// rig is a loop whose cycles the test runs by hand, on a clock of its own: between
// two cycles the test may do what the loop's goroutine may.
type rig struct {
	t        *testing.T
	loop     *Reactor
	now      atomic.Int64 // nanoseconds
	settings *Settings    // the loop's
	logged   logBook
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t}
	r.now.Store(int64(time.Hour))
	r.loop = r.newLoop(newLimit(1<<20, 0))
	r.settings = &r.loop.settings
	return r
}

// newLoop makes a loop on the rig's clock, ended when the test is over.
func (r *rig) newLoop(limit *limit) *Reactor {
	r.t.Helper()
	l, err := newReactor(Config{Logger: slog.New(&r.logged), Clock: r.now.Load, Settings: testSettings()}, 0, limit)
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

func cycle(t *testing.T, l *Reactor) {
	t.Helper()
	if err := l.cycle(0); err != nil {
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

// opener has a Protocol. In tests, most handlers have.
type opener interface{ Open(c *Conn) Handler }

// open puts one end of a new pair on the loop, and returns the connection and the
// other end.
func (r *rig) open(pair pairKind, p opener) (*Conn, *socket) {
	r.t.Helper()
	ours, theirs := pair.make(r.t)
	return r.adopt(ours, p), theirs
}

// adopt puts a socket on the loop, which owns it from now on.
func (r *rig) adopt(s *socket, p opener) *Conn {
	r.t.Helper()
	c := r.openConn(r.loop.newConn(s.release(), sockets.Addr{}), p)
	if c.state == closed {
		r.t.Fatal("the connection did not stay open")
	}
	return c
}

// openConn opens a connection with the rig's settings of now.
func (r *rig) openConn(c *Conn, p opener) *Conn {
	settings := *r.settings // of this connection: a test may change the next one's
	c.settings = &settings
	r.loop.limit.served.acquire()
	r.loop.open(c, underLayer(p.Open), &r.loop.count.Accepted)
	return c
}

// script is a protocol for tests, and its handler: it notes the calls, and does as told.
// It leaves events to the loop, unless a type around it handles them.
type script struct {
	open   func(c *Conn)
	data   func(c *Conn, in []byte) int // nil uses everything
	closed func(c *Conn, err error)

	calls []string // "open", "data:hello", "close:cause"
	input []byte   // what was used
}

func (s *script) Open(c *Conn) Handler { return s.opened(c, s) }

// opened notes that h, which is s or around it, has opened c.
func (s *script) opened(c *Conn, h Handler) Handler {
	s.calls = append(s.calls, "open")
	if s.open != nil {
		s.open(c)
	}
	return h
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

func (s *script) OnEvent(c *Conn, e Event) bool {
	if e == EventClosed {
		s.calls = append(s.calls, fmt.Sprintf("close:%v", c.Err()))
		if s.closed != nil {
			s.closed(c, c.Err())
		}
	}
	return false
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

// handling is a script that handles an event: it notes it, and does as told.
type handling struct {
	*script
	event Event
	do    func(c *Conn) // may be nil
}

func (p handling) Open(c *Conn) Handler { return p.opened(c, p) }

func (p handling) OnEvent(c *Conn, e Event) bool {
	if e != p.event {
		return p.script.OnEvent(c, e)
	}
	p.note(strings.ToLower(e.String()))
	if p.do != nil {
		p.do(c)
	}
	return true
}

func withEOF(s *script, do func(*Conn)) handling      { return handling{s, EventEOF, do} }
func withHangup(s *script, do func(*Conn)) handling   { return handling{s, EventHangup, do} }
func withWritable(s *script, do func(*Conn)) handling { return handling{s, EventWritable, do} }
func withTimeout(s *script, do func(*Conn)) handling  { return handling{s, EventTimeout, do} }
func withShutdown(s *script, do func(*Conn)) handling { return handling{s, EventShutdown, do} }

// echo is the least protocol that answers.
type echo struct{}

func (echo) Open(*Conn) Handler { return echo{} }
func (echo) OnData(c *Conn, in []byte) int {
	_, _ = c.Write(in) // a failure ends the connection by itself
	return len(in)
}
func (echo) OnEvent(*Conn, Event) bool { return false }

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

// descriptorOpen reports whether fd is open in this process.
func descriptorOpen(fd int) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil
}

// allConns lists the connections in the loop's table, closed ones too.
func (l *Loop) allConns() []*Conn {
	var all []*Conn
	for _, s := range l.table.All() {
		if c, ok := s.(*Conn); ok {
			all = append(all, c)
		}
	}
	return all
}
