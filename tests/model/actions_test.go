package model

import (
	"os"
	"sync"
	"time"

	"pgregory.net/rapid"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/loop"
)

// The actions of a sequence. Most of them need a client.

// some draws a client.
func (m *model) some(t *rapid.T) *client {
	if len(m.clients) == 0 {
		t.Skip("no client yet")
	}
	return m.clients[rapid.IntRange(0, len(m.clients)-1).Draw(t, "client")]
}

// present draws a client that has not closed.
func (m *model) present(t *rapid.T) *client {
	c := m.some(t)
	if c.gone {
		t.Skip("it has closed")
	}
	return c
}

func (m *model) open(t *rapid.T) {
	if m.drained != nil || len(m.clients) == 8 {
		t.Skip("no more")
	}
	c := &client{socket: m.dial(t, m.layer, len(m.clients)), reader: reader{conn: len(m.clients)}}
	c.life = receive(t, m.subject.opened, "the connection opens")
	c.verify = c.reader.verify
	m.clients = append(m.clients, c)
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

func (m *model) disconnect(t *rapid.T) {
	c := m.present(t)
	if rapid.Bool().Draw(t, "reset") {
		c.reset()
	} else {
		c.close()
	}
}

// do posts a function to the loop of a connection.
func (m *model) do(l *life, fn func(c *eddy.Conn)) {
	task := &task{life: l}
	task.err = l.ref.Do(func(c *eddy.Conn) {
		defer task.runs.Add(1)
		defer l.in("Ref.Do")()
		if c.UserData() != l {
			l.errorf("Ref.Do was given another connection")
		}
		fn(c)
	})
	m.tasks = append(m.tasks, task)
}

func (m *model) write(t *rapid.T) {
	l := m.some(t).life
	size := rapid.SampledFrom([]int{0, 100, 4000, m.options.HighWater, 3 * m.options.HighWater, m.options.MaxOutput}).Draw(t, "bytes")
	how := rapid.SampledFrom([]string{"Write", "Writes", "WriteString", "Out", "WriteOwned", "WriteFramed", "SendFile"}).Draw(t, "how")
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
	case "Writes":
		if _, err = c.Write(p[:headSize-1]); err == nil {
			_, err = c.Write(p[headSize-1:])
		}
	case "Out":
		if _, err = c.Write(nil); err == nil { // checks whether a write is accepted
			b := c.Out()
			b.B = append(b.B, p...)
		}
	case "WriteOwned":
		l.owned++
		err = c.WriteOwned(p, func() { l.released++ })
	case "WriteFramed":
		l.owned++
		err = c.WriteFramed(p[:1], p[1:headSize], p[headSize:], func() { l.released++ })
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

// refWrite writes on the test's goroutine, which alone numbers these records.
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
		l.lateWrite = l.lateWrite || m.drained != nil
	case loop.ErrClosed, loop.ErrOutputFull, eddy.ErrServerClosed:
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
	m.do(l, func(c *eddy.Conn) { c.SetTimeout(d); l.deadlineSet = l.deadlineSet || d > 0 && d < time.Hour })
}

func (m *model) post(t *rapid.T) {
	task := &task{}
	task.err = m.some(t).life.loop.Post(func() { task.runs.Add(1) })
	m.tasks = append(m.tasks, task)
}

// many posts to one connection from several goroutines concurrently.
func (m *model) many(t *rapid.T) {
	l := m.some(t).life
	var wait sync.WaitGroup
	for range 4 {
		mine := &model{}
		wait.Go(func() {
			for range 5 {
				mine.do(l, func(c *eddy.Conn) { c.Redeliver() })
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
	m.shutdown(time.Hour)
}

// catchUp reads until nothing is in flight: the client has all output, the protocol has
// seen all input, and OnDrain has been called.
func (m *model) catchUp(t *rapid.T) {
	c := m.present(t)
	m.fence(t)
	l, quiet := c.life, false
	for deadline := time.Now().Add(patience); !quiet; {
		if err := c.read(1<<20, time.Millisecond); err != nil {
			t.Fatal(err)
		}
		quiet = m.idle(c)
		if !quiet && time.Now().After(deadline) {
			t.Fatalf("connection %d does not come to rest: the client got %d of %d bytes, the protocol %d of %d, waits for EventWritable %v",
				l.id, c.got, l.bytes, l.seen, c.sent, l.full)
		}
	}
}

// idle reports whether nothing is in flight on an open connection.
func (m *model) idle(c *client) bool {
	l := c.life
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closes > 0 || l.closeCalled || m.drained != nil {
		return true // only open connections become idle
	}
	// Output of Ref.Write after CloseWrite is dropped.
	written := c.got == l.bytes && !l.full || l.closeWriteCalled
	read := l.seen == c.sent || l.paused
	return written && read
}

// fence waits until each task has run or its connection has ended.
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
