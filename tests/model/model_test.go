// Package model tests docs/lifecycle.md and docs/threads.md with random sequences of
// actions of clients and programs. It is a nested module because of its dependencies.
package model

import (
	"errors"
	"flag"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/loop"
)

// patience bounds every wait. A passing test never reaches it.
const patience = 10 * time.Second

var errAborted = errors.New("aborted by the test")

// checks is the default number of sequences, which take some seconds. -rapid.checks sets
// another one.
const checks = "500"

func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", checks); err != nil { // before the command line is parsed
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

func TestAnySequence(t *testing.T) {
	dir := prepare(t)
	rapid.Check(t, func(t *rapid.T) {
		leavesNothing(t, func() {
			m := start(t, dir)
			defer m.cutOff()
			t.Repeat(map[string]func(*rapid.T){
				"":            m.nothingWrong,
				"open":        m.open,
				"send":        m.send,
				"read":        m.read,
				"half-close":  m.halfClose,
				"disconnect":  m.disconnect,
				"write":       m.write,
				"ref write":   m.refWrite,
				"pause":       m.pause,
				"resume":      m.resume,
				"close":       m.close,
				"close write": m.closeWrite,
				"abort":       m.abort,
				"deadline":    m.deadline,
				"post":        m.post,
				"many":        m.many,
				"catch up":    m.catchUp,
				"log":         m.log,
				"block":       m.block,
				"drain":       m.drain,
			})
			m.end(t)
		})
	})
}

// prepare makes the runtime open its poller, which stays open. It returns a directory for
// sockets and files.
func prepare(t *testing.T) (dir string) {
	first, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = first.Close()
	return t.TempDir()
}

// model is one engine with its clients.
type model struct {
	server
	subject *subject
	layer   layer
	dir     string
	clients []*client
	tasks   []*task
	cut     bool // connections may have been aborted at the end

	releaseLog func()
}

// task is a function that was posted to a loop.
type task struct {
	life *life // nil for Loop.Post
	err  error // of posting it
	runs atomic.Int32
}

func start(t *rapid.T, dir string) *model {
	m := &model{dir: dir}
	m.network = rapid.SampledFrom([]string{"tcp", "unix"}).Draw(t, "network")
	m.options = someOptions(t)
	m.options.SlowCallback = rapid.SampledFrom([]time.Duration{0, time.Millisecond}).Draw(t, "SlowCallback")
	m.options.Logger = m.someLog(t)
	m.layer = someLayer(t)
	m.subject = &subject{
		unit:   rapid.SampledFrom([]int{1, 1, 3, 1000}).Draw(t, "unit"),
		answer: rapid.SampledFrom([]int{-1, 0, 10, 5000}).Draw(t, "answer"),
		stays:  rapid.Bool().Draw(t, "stays after EOF"),
		opened: make(chan *life, 1),
	}
	m.server.start(t, dir, m.layer.over(m.subject.open))
	m.open(t) // and so Run has begun
	return m
}

// nothingWrong is checked after every step.
func (m *model) nothingWrong(t *rapid.T) {
	for _, c := range m.clients {
		c.life.mu.Lock()
		wrong := c.life.wrong
		c.life.mu.Unlock()
		if len(wrong) > 0 {
			t.Fatalf("connection %d: %q", c.life.id, wrong)
		}
	}
}

// end ends the engine, reads all clients to their end, and checks the results.
func (m *model) end(t *rapid.T) {
	m.fence(t)
	if seldom(t, "end while blocked") {
		m.endBlocked(t)
	} else {
		m.endInOrder(t)
	}
	m.releaseLog()
	for _, task := range m.tasks {
		if n := task.runs.Load(); n > 1 || n == 1 && task.err != nil || n == 0 && task.err == nil && task.life == nil {
			t.Errorf("a task, posted with %v, has run %d times", task.err, n)
		}
	}
	m.nothingWrong(t)
	for _, c := range m.clients {
		m.check(t, c)
	}
	if s := m.engine.Stats(); s.Accepted != uint64(len(m.clients)) || s.Closed != s.Accepted || s.Panics != 0 {
		t.Errorf("stats %+v after %d connections", s, len(m.clients))
	}
}

// endInOrder drains the engine.
func (m *model) endInOrder(t *rapid.T) {
	if m.drained == nil {
		m.shutdown(time.Hour)
	}
	m.finish(t)
	m.ended(t)
}

// finish has the clients read to their ends.
func (m *model) finish(t *rapid.T) {
	ends := make(chan error, len(m.clients))
	for _, c := range m.clients {
		go func() { ends <- c.finish() }()
	}
	for range m.clients {
		if err := receive(t, ends, "a client reads its end"); err != nil {
			t.Error(err)
		}
	}
}

// cutOff cleans up after a failed check.
func (m *model) cutOff() {
	m.releaseLog()
	m.server.cutOff()
	for _, c := range m.clients {
		_ = c.conn.Close() // may be closed already
	}
}

// check checks one connection's life against the promises.
func (m *model) check(t *rapid.T, c *client) {
	l, r := c.life, &c.reader
	if l.closes != 1 {
		t.Errorf("connection %d: EventClosed came %d times", l.id, l.closes)
	}
	if l.released != l.owned {
		t.Errorf("connection %d: %d of %d slices released", l.id, l.released, l.owned)
	}
	if l.seen > c.sent {
		t.Errorf("connection %d: %d bytes of input, %d were sent", l.id, l.seen, c.sent)
	}
	if c.got > l.bytes {
		t.Errorf("connection %d: the client received %d bytes, %d were written", l.id, c.got, l.bytes)
	}
	legal, all := false, false // whether the cause is allowed, and all input must have been read
	switch {
	case l.cause == nil:
		legal = l.closeCalled || l.closeWriteCalled || m.drained != nil || m.cut
	case l.cause == io.EOF:
		legal, all = (c.shut || c.gone || l.closeWriteCalled) && !m.subject.stays, true
	case l.cause == errAborted:
		legal = l.abortCalled
	case l.cause == eddy.ErrServerClosed:
		legal = m.cut
	case l.cause == loop.ErrTimeout:
		legal = l.deadlineSet
	case l.cause == loop.ErrOutputFull:
		legal = l.outputFull
	case errors.Is(l.cause, syscall.ECONNRESET), errors.Is(l.cause, syscall.EPIPE), errors.Is(l.cause, syscall.ENOTCONN):
		legal = c.gone
	}
	if !legal {
		t.Errorf("connection %d: the cause is %v", l.id, l.cause)
	}
	if (all || l.eof) && l.seen != c.sent {
		t.Errorf("connection %d: %d bytes of input of %d, before the end of it", l.id, l.seen, c.sent)
	}
	if c.gone {
		return // the client has not read to the end
	}
	orderly := c.orderly()
	if orderly && m.network == "tcp" && len(r.rest) > 0 {
		t.Errorf("connection %d: an orderly end in the middle of a record", l.id)
	}
	// CloseIdle in a drain may cross with input, which the kernel answers with a reset.
	crossed := m.drained != nil && l.seen < c.sent && c.got == l.bytes
	if clean := l.cause == nil || l.cause == io.EOF; clean && c.end != io.EOF && !m.cut && !crossed {
		t.Errorf("connection %d: ended with %v, the client with %v", l.id, l.cause, c.end)
	}
	// On TCP an orderly end means that the output is complete. When Ref.Write returns, it
	// does not know whether the connection will still accept output.
	if orderly && (m.network == "tcp" || l.cause == nil || l.cause == io.EOF) {
		for by := range sources {
			if got, written := r.next[by], l.written[by]; got > written || got < written && by != byRef {
				t.Errorf("connection %d: an orderly end after %d records from source %d of %d", l.id, got, by, written)
			}
		}
	}
	untouched := !l.closeCalled && !l.closeWriteCalled && !l.abortCalled && !l.deadlineSet && !l.outputFull && !c.shut && !l.lateWrite && !m.cut
	if got, written := r.next[byRef], l.written[byRef]; untouched && got != written {
		t.Errorf("connection %d: %d records from Ref.Write of %d", l.id, got, written)
	}
}
