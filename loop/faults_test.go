package loop

import (
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/internal/sockets"
	"github.com/eddynet/eddy/poller"
)

// callName names a system call, or a method of the poller, as a fault knows it.
type callName string

const (
	onAccept   callName = "accept"
	onRead     callName = "read"
	onWrite    callName = "write"
	onShutdown callName = "shutdown"
	onAdd      callName = "poller add"
	onSet      callName = "poller set"
	onDelete   callName = "poller delete"
	onControl  callName = "poller add, set or delete"
	onWait     callName = "poller wait"
)

// fault is what goes wrong, and when: counted from 1, at the calls first,
// first+every and so on, up to last.
type fault struct {
	call               callName
	errno              unix.Errno   // 0 for a short result
	most               int          // bytes of a short result
	announce           poller.Ready // of a wait: conditions that do not hold
	late               bool         // announced of a connection whose slot is another's by now
	lost               bool         // a Set that fails has ended the registration, and the next ones do nothing
	first, every, last int
}

func (f fault) String() string {
	what := fmt.Sprint(f.errno)
	switch {
	case f.call == onWait:
		what = fmt.Sprintf("announces %04b, late %v,", f.announce, f.late)
	case f.lost:
		what += " and loses the registration"
	case f.errno == 0 && f.most == 0:
		what = "does nothing"
	case f.errno == 0:
		what = fmt.Sprintf("at most %d bytes", f.most)
	}
	return fmt.Sprintf("%s %s from call %d every %d to %d", f.call, what, f.first, f.every, f.last)
}

func (f fault) strikes(n int) bool {
	return n >= f.first && n <= f.last && (n-f.first)%f.every == 0
}

// faults stands between a loop and the kernel: as its poller, its accept, and a layer of
// the connections it aims at. It counts the calls for these, and lets a fault strike.
type faults struct {
	poller.Backend
	accepting func(fd int) (int, sockets.Addr, unix.Errno)
	fault     fault
	armed     bool
	aim       map[int]bool                     // descriptors
	next      bool                             // the next connection is aimed at too
	tokens    map[poller.Token]poller.Interest // of the descriptors, also when they are closed

	lost map[int]bool // descriptors whose registration a Set has lost

	made map[callName]int // while armed
	hits int
	done int // calls that moved something, for everybody
}

// inject puts itself between l and the kernel.
func inject(l *Reactor) *faults {
	f := &faults{accepting: l.accept, Backend: l.poller, lost: map[int]bool{}}
	l.poller = f
	l.accept = f.accept
	return f
}

// add adds the layer to a connection that the faults aim at.
func (f *faults) add(c *Conn) {
	if f.armed && f.aim[int(c.fd)] {
		_ = c.AddLayer(func(below Transport) Transport { return &faultyTransport{below, f, c} }) // without output
	}
}

// arm aims at the next connection, and at the descriptors given.
func (f *faults) arm(fault fault, fds ...int) {
	f.fault, f.armed, f.next, f.hits = fault, true, true, 0
	f.aim, f.tokens, f.made = map[int]bool{}, map[poller.Token]poller.Interest{}, map[callName]int{}
	for _, fd := range fds {
		f.aim[fd] = true
	}
}

func (f *faults) disarm() { f.armed = false }

// strike reports whether this call is one that fails.
func (f *faults) strike(call callName, fd int) bool {
	if !f.armed || !f.aim[fd] {
		return false
	}
	f.made[call]++
	if f.fault.call != call || !f.fault.strikes(f.made[call]) {
		return false
	}
	f.hits++
	return true
}

// aimNext is called with every new descriptor.
func (f *faults) aimNext(fd int) {
	if f.armed && f.next {
		f.aim[fd], f.next = true, false
	}
}

func (f *faults) errorFor(call callName, fd int) error {
	if f.strike(call, fd) {
		return f.fault.errno
	}
	f.done++
	return nil
}

func (f *faults) accept(fd int) (int, sockets.Addr, unix.Errno) {
	if f.strike(onAccept, fd) {
		return -1, sockets.Addr{}, f.fault.errno
	}
	conn, peer, errno := f.accepting(fd)
	if errno == 0 {
		f.done++
		f.aimNext(conn)
	}
	return conn, peer, errno
}

// faultyTransport is the layer.
type faultyTransport struct {
	Transport
	faults *faults
	conn   *Conn
}

func (t *faultyTransport) Read(p []byte) (int, error) {
	f := t.faults
	if f.strike(onRead, int(t.conn.fd)) {
		if f.fault.errno != 0 {
			return 0, f.fault.errno
		}
		p = p[:min(len(p), f.fault.most)]
	}
	n, err := t.Transport.Read(p)
	if err == nil || err == io.EOF {
		f.done++
	}
	return n, err
}

func (t *faultyTransport) Write(slices [][]byte) (n int, err error) {
	f := t.faults
	if f.strike(onWrite, int(t.conn.fd)) {
		t.conn.extra.socket.full = true // as after a kernel that does the same
		if f.fault.errno != 0 {
			return 0, f.fault.errno
		}
		var short [][]byte
		for _, p := range slices {
			if room := f.fault.most - sizeOf(short); room > 0 {
				short = append(short, p[:min(len(p), room)])
			}
		}
		defer func() { t.conn.extra.socket.full = true }()
		slices = short
	}
	if n, err = t.Transport.Write(slices); err == nil {
		f.done++
	}
	return n, err
}

func (t *faultyTransport) CloseWrite() error {
	if err := t.faults.errorFor(onShutdown, int(t.conn.fd)); err != nil {
		return err
	}
	return t.Transport.CloseWrite()
}

// controlError is errorFor for the poller's calls, which may fail all together.
func (f *faults) controlError(call callName, fd int) error {
	if f.fault.call == onControl {
		call = onControl
	}
	return f.errorFor(call, fd)
}

func (f *faults) Add(fd int, token poller.Token, interest poller.Interest) error {
	if err := f.controlError(onAdd, fd); err != nil {
		return err
	}
	delete(f.lost, fd)
	f.note(fd, token, interest)
	return f.Backend.Add(fd, token, interest)
}

// Set has the freedom that its contract gives it after an error. kqueue's may have
// removed a filter then, and takes the same interest as before for no change.
func (f *faults) Set(fd int, token poller.Token, interest poller.Interest) error {
	if err := f.controlError(onSet, fd); err != nil {
		if f.fault.lost && !f.lost[fd] {
			f.lost[fd] = true
			_ = f.Backend.Delete(fd)
		}
		return err
	}
	if f.lost[fd] {
		return nil
	}
	f.note(fd, token, interest)
	return f.Backend.Set(fd, token, interest)
}

func (f *faults) Delete(fd int) error {
	if err := f.controlError(onDelete, fd); err != nil {
		return err
	}
	if f.lost[fd] {
		delete(f.lost, fd)
		return nil
	}
	return f.Backend.Delete(fd)
}

func (f *faults) note(fd int, token poller.Token, interest poller.Interest) {
	if f.armed && f.aim[fd] {
		f.tokens[token] = interest
	}
}

func (f *faults) Park(timeout time.Duration) ([]poller.Event, error) { return f.Wait(timeout) }

// Wait announces what does not hold, or nothing at all, to every token that it has
// ever seen, late ones among them, within its interest.
func (f *faults) Wait(timeout time.Duration) ([]poller.Event, error) {
	events, err := f.Backend.Wait(timeout)
	if !f.armed || f.fault.call != onWait {
		return events, err
	}
	f.made[onWait]++
	if !f.fault.strikes(f.made[onWait]) {
		return events, err
	}
	f.hits++
	if f.fault.announce == 0 {
		return nil, nil
	}
	for token, interest := range f.tokens {
		ready := f.fault.announce & poller.Failed
		if interest&poller.Readable != 0 {
			ready |= f.fault.announce & poller.Read
		}
		if interest&poller.Writable != 0 {
			ready |= f.fault.announce & poller.Write
		}
		events = merge(events, poller.Event{Token: token, Ready: ready})
	}
	return events, err
}

// merge keeps to one event for each registration, as a poller does.
func merge(events []poller.Event, e poller.Event) []poller.Event {
	for i := range events {
		if events[i].Token == e.Token {
			events[i].Ready |= e.Ready
			return events
		}
	}
	return append(events, e)
}
