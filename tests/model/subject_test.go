package model

import (
	"fmt"
	"sync"
	"time"

	"github.com/eddynet/eddy"
)

// subject is the protocol under test. It consumes input in units, may write after each
// of them, and records the life of each connection.
type subject struct {
	unit   int // OnData consumes multiples of it
	answer int // bytes of each answer; negative for none
	opened chan *life

	mu    sync.Mutex
	lives []*life // guarded by mu
}

// life records the callbacks of a connection, and the calls of its methods.
type life struct {
	id   int
	ref  eddy.Ref
	loop *eddy.Loop

	mu       sync.Mutex // guards the fields below: the loop writes, the test reads
	wrong    []string
	opens    int
	closes   int
	cause    error
	eof      bool
	paused   bool
	used     int64 // consumed bytes of input
	seen     int64 // bytes of input, including unconsumed ones
	written  [sources]uint32
	bytes    int64 // of records written
	owned    int   // slices passed to WriteOwned
	released int   // slices released
	full     bool  // the output was full, and OnDrain has not been called since

	lateWrite bool // Ref.Write during the drain, which may have closed the connection

	closeCalled, closeWriteCalled, abortCalled, deadlineSet, outputFull bool
}

func (l *life) errorf(format string, args ...any) {
	l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
}

// in begins a callback, which must be between OnOpen and OnClose.
func (l *life) in(name string) (leave func()) {
	l.mu.Lock()
	if l.opens != 1 || l.closes != 0 {
		l.errorf("%s after %d OnOpen and %d OnClose", name, l.opens, l.closes)
	}
	return l.mu.Unlock
}

// idle is the subject's IdleTimeout. No test reaches it.
const idle = 17 * time.Minute

func (s *subject) Tune(settings *eddy.Settings) error {
	settings.IdleTimeout = idle
	return nil
}

func (s *subject) OnOpen(c *eddy.Conn) {
	s.mu.Lock()
	l := &life{id: len(s.lives), ref: c.Ref(), loop: c.Loop(), opens: 1}
	s.lives = append(s.lives, l)
	s.mu.Unlock()
	if c.State() != nil {
		l.errorf("OnOpen of a connection that has a state: %v", c.State())
	}
	if d := c.Settings().IdleTimeout; d != idle {
		l.errorf("IdleTimeout is %v, want that of Tune", d)
	}
	c.SetState(l)
	s.opened <- l
}

func (s *subject) OnData(c *eddy.Conn, in []byte) int {
	l := c.State().(*life)
	defer l.in("OnData")()
	if l.paused {
		l.errorf("OnData while reading is paused")
	}
	if c.Full() {
		l.errorf("OnData while the output is full, with %d bytes pending", c.Pending())
	}
	if !c.Open() {
		l.errorf("OnData of a connection that is not open")
	}
	for i, b := range in {
		if b != inputByte(l.id, l.used+int64(i)) {
			l.errorf("input is wrong at offset %d", l.used+int64(i))
			break
		}
	}
	if end := l.used + int64(len(in)); end < l.seen {
		l.errorf("input ends at offset %d, and has been seen up to %d", end, l.seen)
	} else {
		l.seen = end
	}
	used := len(in) / s.unit * s.unit
	l.used += int64(used)
	if used > 0 && s.answer >= 0 {
		l.write(c, byInput, s.answer, func(p []byte) error {
			_, err := c.Write(p)
			return err
		})
	}
	return used
}

// write writes the next record of a source in the given way. On the loop.
func (l *life) write(c *eddy.Conn, by source, size int, how func(p []byte) error) {
	p := record(l.id, by, l.written[by], size)
	open := c.Open() && !l.closeWriteCalled
	switch err := how(p); err {
	case nil:
		if !open {
			l.errorf("a write after the end was accepted")
		}
		l.written[by]++
		l.bytes += int64(len(p))
		l.full = l.full || c.Full()
	case eddy.ErrClosed:
		if open {
			l.errorf("a write to an open connection: %v", err)
		}
	case eddy.ErrOutputFull:
		l.outputFull = true
		if c.Open() {
			l.errorf("still open after %v", err)
		}
	default:
		l.errorf("write: %v", err)
	}
}

func (s *subject) OnDrain(c *eddy.Conn) {
	l := c.State().(*life)
	defer l.in("OnDrain")()
	if c.Full() {
		l.errorf("OnDrain with %d bytes pending", c.Pending())
	}
	l.full = false
}

func (s *subject) OnClose(c *eddy.Conn, err error) {
	l := c.State().(*life)
	defer l.in("OnClose")()
	l.closes++
	l.cause = err
	if c.Open() {
		l.errorf("OnClose of an open connection")
	}
}

// staying is a subject that does not close when its peer has stopped sending.
type staying struct{ *subject }

func (s staying) OnEOF(c *eddy.Conn) {
	l := c.State().(*life)
	defer l.in("OnEOF")()
	if l.eof {
		l.errorf("OnEOF twice")
	}
	l.eof = true
}
