package eddytls

import (
	"crypto/tls"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/loop"
)

// maxSealed bounds the records in bytes that wait for the transport below, when the peer
// adds to them by requests for key updates: Write alone stays below half of it.
const maxSealed = 256 << 10

// readBudget bounds the records in bytes that one Read opens: the peer can send many that
// have no content.
const readBudget = 64 << 10

var (
	errUnread   = errors.New("eddytls: the peer requests key updates, and does not read the answers")
	errDetached = errors.New("eddytls: the connection was detached during its handshake")
)

// layer is the Transport of a connection with TLS. After the handshake its methods drive
// crypto/tls on the loop; after Detach two goroutines do, one of which reads.
type layer struct {
	loop.Transport // the one below
	tls            *tls.Conn
	conn           *loop.Conn // loop only
	ref            loop.Ref
	handshake      *handshake // nil when it is over

	// Of the side that reads.
	input   []byte  // came with the handshake, for crypto/tls
	records records // that crypto/tls has got
	err     error   // of crypto/tls: it is final
	more    bool    // crypto/tls has input, or err is not reported
	room    int     // bytes that this Read may take from below; 0 also when nothing is left
	fin     bool    // the input below has ended
	ending  bool    // CloseWith is on its way
	state   *tls.ConnectionState

	broken   atomic.Bool // no record can be sealed any more
	notified bool        // close_notify is in the output

	mu     sync.Mutex
	out    *buffers.Buffer // guarded by mu: records; nil for none
	passed int             // guarded by mu: bytes of out that were passed on
	vector [1][]byte       // guarded by mu: argument of Write below
}

var _ loop.Transport = (*layer)(nil)

// detached reports whether the connection has left its loop, which calls Read, Write and
// CloseWrite only before the end of a connection. The transport below blocks then.
func (l *layer) detached() bool { return l.ref.Gone() }

// ConnectionState is that of crypto/tls, nil before the end of the handshake.
func (l *layer) ConnectionState() *tls.ConnectionState {
	if l.handshake != nil || l.tls == nil {
		return nil
	}
	if l.state == nil {
		state := l.tls.ConnectionState()
		l.state = &state
	}
	return l.state
}

// Read opens records into p: those that have come, or as many as fit, within readBudget.
func (l *layer) Read(p []byte) (n int, err error) {
	if h := l.handshake; h != nil {
		if l.detached() {
			return 0, errDetached
		}
		return 0, h.receive(l.conn, p)
	}
	l.room, l.more = readBudget, false
	for n < len(p) && l.err == nil {
		m, err := l.tls.Read(p[n:])
		n += m
		if l.detached() {
			return n, l.afterDetachedRead(n, err)
		}
		if wait, ok := err.(*temporary); ok {
			if l.unread() {
				return 0, errUnread
			}
			if n > 0 {
				return n, nil
			}
			return 0, wait.error
		}
		l.err = err
	}
	if n > 0 {
		l.more = true
		return n, nil
	}
	return 0, l.end()
}

// end reports l.err. An alert is in the output: after it the connection is closed.
func (l *layer) end() error {
	var errno unix.Errno
	switch {
	case l.err == io.EOF && !l.fin:
		return io.EOF
	case errors.As(l.err, &errno):
		return l.err
	case l.err == io.EOF: // without close_notify
		l.close(io.ErrUnexpectedEOF)
	default:
		l.broken.Store(true)
		l.close(l.err)
	}
	return unix.EAGAIN
}

// fail closes the connection after records that are in the output. Loop only.
func (l *layer) fail(err error) {
	l.err = err
	l.broken.Store(true)
	l.close(err)
}

// close ends the connection outside of the loop's call of Read.
func (l *layer) close(err error) {
	if !l.ending {
		l.ending = true
		_ = l.ref.DoUnbounded(func(c *loop.Conn) { c.CloseWith(err) }) // else it is closed
	}
}

// afterDetachedRead is the error for one call of crypto/tls, which may have blocked, and
// written an alert or a KeyUpdate.
func (l *layer) afterDetachedRead(n int, err error) error {
	if passed := l.pass(); err == nil {
		return nil
	} else if wait, ok := err.(*temporary); ok {
		err = wait.error
	} else if err == io.EOF && l.fin {
		err = io.ErrUnexpectedEOF
	} else if passed != nil {
		err = passed
	}
	if n > 0 {
		return nil // crypto/tls repeats its error
	}
	return err
}

// Write seals the slices, in pieces, as long as the transport below takes them.
func (l *layer) Write(slices [][]byte) (n int, err error) {
	if err := l.pass(); err != nil {
		return 0, err
	}
	switch {
	case len(slices) == 0:
		return l.Transport.Write(nil)
	case l.handshake != nil && l.detached():
		return 0, errDetached
	case l.handshake != nil:
		return 0, unix.EAGAIN
	}
	pieces := pieces{slices: slices}
	defer pieces.free()
	for {
		p := pieces.next()
		if len(p) == 0 {
			return n, nil
		}
		if !l.broken.Load() {
			_, err = l.tls.Write(p)
		}
		if err != nil && l.detached() {
			return n, err
		}
		n += len(p) // nothing leaves after a fatal alert: RFC 8446 section 6.2
		if err := l.pass(); err == unix.EAGAIN {
			return n, nil // the next call says so
		} else if err != nil {
			return n, err
		}
	}
}

// append adds records to the output.
func (l *layer) append(p []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.out == nil {
		l.out = sealed.Get()
	}
	l.out.B = append(l.out.B, p...)
}

// pass passes the output on. Without an error none is held any more.
func (l *layer) pass() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.out == nil {
		return nil
	}
	for l.passed < len(l.out.B) {
		l.vector[0] = l.out.B[l.passed:]
		n, err := l.Transport.Write(l.vector[:])
		l.passed += n
		switch {
		case err != nil:
			return err
		case n == 0:
			return unix.EAGAIN
		}
	}
	sealed.Put(l.out)
	l.out, l.passed, l.vector[0] = nil, 0, nil
	return nil
}

func (l *layer) held() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.out == nil {
		return 0
	}
	return int64(len(l.out.B) - l.passed)
}

// unread reports that the peer causes output and does not read it.
func (l *layer) unread() bool { return l.held() > maxSealed }

// Held is called on the loop only.
func (l *layer) Held() (input bool, output int64) {
	input, output = l.Transport.Held()
	return input || l.more, output + l.held()
}

// CloseWrite sends close_notify, unless an alert before it was fatal.
func (l *layer) CloseWrite() error {
	if l.handshake == nil && !l.broken.Load() && !l.notified {
		l.notified = true
		_ = l.tls.CloseWrite() // a part of the output; it cannot fail
	}
	if err := l.pass(); err != nil {
		return err
	}
	return l.Transport.CloseWrite()
}
