// Package model tries random sequences of what clients, programs and the clock may
// do, against what docs/lifecycle.md and docs/threads.md promise. It has its own
// module because of the libraries it uses.
package model

import (
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/eddynet/eddy"
)

// patience bounds what must happen. No passing test waits it out.
const patience = 10 * time.Second

var errAborted = errors.New("aborted by the test")

// checks is how many sequences are tried by default: some seconds' worth. More are
// with -rapid.checks.
const checks = "500"

func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", checks); err != nil { // the command line comes later
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

func TestAnySequence(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		before, running := openDescriptors(), goleak.IgnoreCurrent()
		m := start(t, dir)
		defer m.cutOff()
		t.Repeat(map[string]func(*rapid.T){
			"":            m.nothingWrong,
			"open":        m.open,
			"send":        m.send,
			"read":        m.read,
			"half-close":  m.halfClose,
			"leave":       m.leave,
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
			"drain":       m.drain,
		})
		m.end(t)
		if err := goleak.Find(running); err != nil {
			t.Error(err)
		}
		if after := openDescriptors(); after != before {
			t.Errorf("%d descriptors, %d before", after, before)
		}
	})
}

// openDescriptors counts portably.
func openDescriptors() (n int) {
	for fd := range uintptr(512) {
		if _, err := unix.FcntlInt(fd, unix.F_GETFD, 0); err == nil {
			n++
		}
	}
	return n
}

// model is one engine with its clients.
type model struct {
	network string
	options eddy.Options
	engine  *eddy.Engine
	subject *subject
	stays   bool
	addr    net.Addr
	ran     chan error
	drained chan error // nil before the drain
	dir     string
	clients []*client
	tasks   []*task
}

// task is a function that was handed to a loop.
type task struct {
	life *life // nil for Loop.Post
	err  error // of handing it over
	runs atomic.Int32
}

func start(t *rapid.T, dir string) *model {
	m := &model{dir: dir}
	m.network = rapid.SampledFrom([]string{"tcp", "unix"}).Draw(t, "network")
	high := rapid.SampledFrom([]int{1 << 10, 16 << 10, 64 << 10}).Draw(t, "HighWater")
	m.options = eddy.Options{
		Loops:      rapid.IntRange(1, 2).Draw(t, "Loops"),
		HighWater:  high,
		LowWater:   rapid.SampledFrom([]int{1, high / 2, high}).Draw(t, "LowWater"),
		MaxOutput:  high * rapid.IntRange(2, 40).Draw(t, "MaxOutput/HighWater"),
		DrainGrace: time.Millisecond,
		Logger:     slog.New(slog.DiscardHandler),
	}
	m.subject = &subject{
		unit:   rapid.SampledFrom([]int{1, 1, 3, 1000}).Draw(t, "unit"),
		answer: rapid.SampledFrom([]int{-1, 0, 10, 5000}).Draw(t, "answer"),
		opened: make(chan *life, 1),
	}
	m.stays = rapid.Bool().Draw(t, "stays after EOF")
	var protocol eddy.Protocol = m.subject
	if m.stays {
		protocol = staying{m.subject}
	}
	engine, err := eddy.New(m.options)
	if err != nil {
		t.Fatal(err)
	}
	m.engine = engine
	address := "127.0.0.1:0"
	if m.network == "unix" {
		address = filepath.Join(dir, "s")
	}
	ln, err := engine.Listen(m.network, address, protocol)
	if err != nil {
		t.Fatal(err)
	}
	m.addr, m.ran = ln.Addr(), make(chan error, 1)
	go func() { m.ran <- engine.Run(context.Background()) }()
	m.open(t) // and so Run has begun
	return m
}

func receive[T any](t *rapid.T, from <-chan T, what string) (v T) {
	select {
	case v = <-from:
	case <-time.After(patience):
		t.Fatalf("not after %v: %s", patience, what)
	}
	return v
}

func await(t *rapid.T, what string, condition func() bool) {
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not so after %v: %s", patience, what)
		}
	}
}

// some draws a client.
func (m *model) some(t *rapid.T) *client {
	if len(m.clients) == 0 {
		t.Skip("no client yet")
	}
	return m.clients[rapid.IntRange(0, len(m.clients)-1).Draw(t, "client")]
}

// present draws a client that has not left.
func (m *model) present(t *rapid.T) *client {
	c := m.some(t)
	if c.gone {
		t.Skip("it has left")
	}
	return c
}

func (m *model) open(t *rapid.T) {
	if m.drained != nil || len(m.clients) == 8 {
		t.Skip("no more")
	}
	conn, err := net.DialTimeout(m.addr.Network(), m.addr.String(), patience)
	if err != nil {
		t.Fatal(err)
	}
	l := receive(t, m.subject.opened, "the connection opens")
	m.clients = append(m.clients, &client{conn: conn, life: l, reader: reader{conn: l.id}})
}

func (m *model) send(t *rapid.T) {
	c := m.present(t)
	if n := rapid.SampledFrom([]int{1, 2, 100, 5000, 70_000, 300_000}).Draw(t, "bytes"); !c.shut {
		c.send(n)
	}
}

func (m *model) read(t *rapid.T) {
	c := m.present(t)
	n := rapid.SampledFrom([]int{1, 1000, 1 << 20}).Draw(t, "bytes")
	if err := c.read(n, time.Millisecond); err != nil {
		t.Fatal(err)
	}
}

func (m *model) halfClose(t *rapid.T) { m.present(t).shutWrite() }

func (m *model) leave(t *rapid.T) {
	c := m.present(t)
	if rapid.Bool().Draw(t, "reset") {
		c.reset()
	} else {
		c.close()
	}
}

// do hands a function to the loop of a connection.
func (m *model) do(l *life, fn func(c *eddy.Conn)) {
	task := &task{life: l}
	task.err = l.ref.Do(func(c *eddy.Conn) {
		defer task.runs.Add(1)
		defer l.in("Ref.Do")()
		if c.State() != l {
			l.errorf("Ref.Do was given another connection")
		}
		fn(c)
	})
	m.tasks = append(m.tasks, task)
}

func (m *model) write(t *rapid.T) {
	l := m.some(t).life
	size := rapid.SampledFrom([]int{0, 100, 4000, m.options.HighWater, 3 * m.options.HighWater, m.options.MaxOutput}).Draw(t, "bytes")
	how := rapid.SampledFrom([]string{"Write", "WriteParts", "WriteString", "Out", "WriteOwned", "SendFile"}).Draw(t, "how")
	m.do(l, func(c *eddy.Conn) {
		l.write(c, byTask, size, func(p []byte) error { return m.writeBy(c, l, how, p) })
	})
}

func (m *model) writeBy(c *eddy.Conn, l *life, how string, p []byte) (err error) {
	switch how {
	case "Write":
		_, err = c.Write(p)
	case "WriteString":
		_, err = c.WriteString(string(p))
	case "WriteParts":
		err = c.WriteParts(p[:headSize-1], p[headSize-1:])
	case "Out":
		if _, err = c.Write(nil); err == nil { // says whether there is room
			b := c.Out()
			b.B = append(b.B, p...)
		}
	case "WriteOwned":
		l.owned++
		err = c.WriteOwned(p, func() { l.released++ })
	case "SendFile":
		var f *os.File
		if f, err = os.CreateTemp(m.dir, "file"); err == nil {
			_ = os.Remove(f.Name())
			_, _ = f.Write(append([]byte("before"), p...))
			err = c.SendFile(f, int64(len("before")), int64(len(p)))
		}
	}
	return err
}

// refWrite writes from here. Only the test's goroutine does, so it counts.
func (m *model) refWrite(t *rapid.T) {
	l := m.some(t).life
	size := rapid.SampledFrom([]int{0, 100, 5000, 2 * m.options.HighWater}).Draw(t, "bytes")
	l.mu.Lock()
	p := record(l.id, byRef, l.written[byRef], size)
	l.mu.Unlock()
	err := l.ref.Write(p)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch err {
	case nil:
		l.written[byRef]++
		l.bytes += int64(len(p))
	case eddy.ErrClosed, eddy.ErrOutputFull, eddy.ErrServerClosed:
	default:
		t.Errorf("Ref.Write: %v", err)
	}
}

func (m *model) pause(t *rapid.T) {
	l := m.some(t).life
	m.do(l, func(c *eddy.Conn) { c.PauseRead(); l.paused = true })
}

func (m *model) resume(t *rapid.T) {
	l := m.some(t).life
	m.do(l, func(c *eddy.Conn) { c.ResumeRead(); l.paused = false })
}

func (m *model) close(t *rapid.T) {
	l := m.some(t).life
	m.do(l, func(c *eddy.Conn) { c.Close(); l.closeCalled = true })
}

func (m *model) closeWrite(t *rapid.T) {
	l := m.some(t).life
	m.do(l, func(c *eddy.Conn) { c.CloseWrite(); l.closeWriteCalled = true })
}

func (m *model) abort(t *rapid.T) {
	l := m.some(t).life
	m.do(l, func(c *eddy.Conn) { c.Abort(errAborted); l.abortCalled = true })
}

func (m *model) deadline(t *rapid.T) {
	l := m.some(t).life
	d := rapid.SampledFrom([]time.Duration{0, 1, 3 * time.Millisecond, time.Hour}).Draw(t, "deadline")
	m.do(l, func(c *eddy.Conn) { c.SetDeadline(d); l.deadlineSet = l.deadlineSet || d > 0 && d < time.Hour })
}

func (m *model) post(t *rapid.T) {
	l := m.some(t).life
	task := &task{}
	var on *eddy.Loop
	m.do(l, func(c *eddy.Conn) { on = c.Loop() })
	m.fence(t)
	if on == nil {
		t.Skip("the connection has gone")
	}
	task.err = on.Post(func() { task.runs.Add(1) })
	m.tasks = append(m.tasks, task)
}

// many reaches one connection from several goroutines at once.
func (m *model) many(t *rapid.T) {
	l := m.some(t).life
	var wait sync.WaitGroup
	for range 4 {
		mine := &model{}
		wait.Go(func() {
			for range 5 {
				mine.do(l, func(c *eddy.Conn) { c.Again() })
			}
		})
		defer func() { m.tasks = append(m.tasks, mine.tasks...) }()
	}
	wait.Wait()
}

func (m *model) drain(t *rapid.T) {
	if m.drained != nil || rapid.IntRange(0, 9).Draw(t, "seldom") > 0 {
		t.Skip("not now")
	}
	m.shutdown()
}

func (m *model) shutdown() {
	m.drained = make(chan error, 1)
	go func() { m.drained <- m.engine.Shutdown(context.Background()) }()
}

// catchUp has a client read until nothing is under way: then it has all output, the
// protocol has seen all input, and was told that there is room again.
func (m *model) catchUp(t *rapid.T) {
	c := m.present(t)
	m.fence(t)
	l, quiet := c.life, false
	for deadline := time.Now().Add(patience); !quiet; {
		if err := c.read(1<<20, time.Millisecond); err != nil {
			t.Fatal(err)
		}
		quiet = m.atRest(c)
		if !quiet && time.Now().After(deadline) {
			t.Fatalf("connection %d does not come to rest: the client got %d of %d bytes, the protocol %d of %d, waits for OnDrain %v",
				l.id, c.reader.bytes, l.bytes, l.seen, c.sent, l.full)
		}
	}
}

// atRest says whether nothing is under way on an open connection.
func (m *model) atRest(c *client) bool {
	l := c.life
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closes > 0 || l.closeCalled || m.drained != nil {
		return true // another story
	}
	// What Ref.Write sends after CloseWrite is dropped.
	told := c.reader.bytes == l.bytes && !l.full || l.closeWriteCalled
	heard := l.seen == c.sent || l.paused
	return told && heard
}

// fence waits until the tasks have run, or their connections ended.
func (m *model) fence(t *rapid.T) {
	await(t, "every task has run, or its connection has ended", func() bool {
		for _, task := range m.tasks {
			if task.err == nil && task.runs.Load() == 0 && (task.life == nil || !task.life.ended()) {
				return false
			}
		}
		return true
	})
}

func (l *life) ended() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closes > 0
}

// nothingWrong is looked at after every step.
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

// end drains the engine, lets the clients read to their ends, and holds the outcome
// against the model.
func (m *model) end(t *rapid.T) {
	m.fence(t)
	if m.drained == nil {
		m.shutdown()
	}
	ends := make(chan error, len(m.clients))
	for _, c := range m.clients {
		go func() { ends <- c.finish() }()
	}
	for range m.clients {
		if err := receive(t, ends, "a client reads its end"); err != nil {
			t.Error(err)
		}
	}
	if err := receive(t, m.drained, "Shutdown ends"); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := receive(t, m.ran, "Run ends"); err != nil {
		t.Errorf("Run: %v", err)
	}
	for _, task := range m.tasks {
		if n := task.runs.Load(); n > 1 || n == 1 && task.err != nil || n == 0 && task.err == nil && task.life == nil {
			t.Errorf("a task, handed over with %v, has run %d times", task.err, n)
		}
	}
	m.nothingWrong(t)
	for _, c := range m.clients {
		m.judge(t, c)
	}
	if s := m.engine.Stats(); s.Accepted != uint64(len(m.clients)) || s.Closed != s.Accepted || s.Panics != 0 {
		t.Errorf("stats %+v after %d connections", s, len(m.clients))
	}
}

// cutOff ends what a failed check has left.
func (m *model) cutOff() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = m.engine.Shutdown(ctx) // reports what was cut off
	for _, c := range m.clients {
		_ = c.conn.Close() // for the second time, most likely
	}
}

// judge holds one connection's life against what may have become of it.
func (m *model) judge(t *rapid.T, c *client) {
	l, r := c.life, &c.reader
	if l.closes != 1 {
		t.Errorf("connection %d: OnClose was called %d times", l.id, l.closes)
	}
	if l.released != l.owned {
		t.Errorf("connection %d: %d of %d slices released", l.id, l.released, l.owned)
	}
	if l.seen > c.sent {
		t.Errorf("connection %d: %d bytes of input, %d were sent", l.id, l.seen, c.sent)
	}
	if r.bytes > l.bytes {
		t.Errorf("connection %d: the client got %d bytes, %d were written", l.id, r.bytes, l.bytes)
	}
	legal, all := false, false // is the cause, and has all input been read
	switch {
	case l.cause == nil:
		legal = l.closeCalled || l.closeWriteCalled || m.drained != nil
	case l.cause == io.EOF:
		legal, all = (c.shut || c.gone || l.closeWriteCalled) && !m.stays, true
	case l.cause == errAborted:
		legal = l.abortCalled
	case l.cause == eddy.ErrTimeout:
		legal = l.deadlineSet
	case l.cause == eddy.ErrOutputFull:
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
		return // it has not read to the end
	}
	orderly := c.orderly()
	if clean := l.cause == nil || l.cause == io.EOF; clean && c.end != io.EOF {
		t.Errorf("connection %d: ended with %v, and the client got %v", l.id, l.cause, c.end)
	}
	// On TCP an orderly end says that this is all. Ref.Write cannot know, when it
	// returns, whether the connection will still take output.
	if orderly && (m.network == "tcp" || l.cause == nil || l.cause == io.EOF) {
		for by := range sources {
			if got, written := r.next[by], l.written[by]; got > written || got < written && by != byRef {
				t.Errorf("connection %d: %d records from source %d of %d, and an orderly end", l.id, got, by, written)
			}
		}
	}
	untouched := !l.closeCalled && !l.closeWriteCalled && !l.abortCalled && !l.deadlineSet && !l.outputFull && !c.shut
	if got, written := r.next[byRef], l.written[byRef]; untouched && got != written {
		t.Errorf("connection %d: %d records from Ref.Write of %d", l.id, got, written)
	}
}
