package loop

import (
	"errors"
	"io"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Stats counts since the start, on one loop or all. PendingOutput may fall; MaxLag is a maximum.
type Stats struct {
	Accepted uint64 // connections, from listeners
	Dialled  uint64 // connections
	Closed   uint64 // connections, of both kinds
	Refused  uint64 // of the accepted, those beyond Options.MaxConns: see Conn.Overloaded
	Dropped  uint64 // connections closed before they were opened, because the loop was cut off

	DialErrors   uint64 // dials that made no connection
	AcceptErrors uint64 // accept calls that failed, other than for an empty queue
	AcceptPauses uint64 // times a listener was disarmed for a shortage or a limit
	LimitPauses  uint64 // of these, for Options.MaxConns

	TimedOut        uint64 // deadlines that passed: the protocol's, IdleTimeout and WriteTimeout
	WriteTimeouts   uint64 // of these, connections ended because the peer did not read its output
	LingerTimeouts  uint64 // closed connections whose peer was still sending at LingerTimeout
	SocketErrors    uint64 // connections ended by an error of their socket, such as the peer's reset
	InputOverflows  uint64 // connections ended with ErrInputFull
	OutputOverflows uint64 // connections ended with ErrOutputFull

	BytesRead     uint64 // from connections
	BytesWritten  uint64 // to connections, as far as the kernel has taken them
	PendingOutput int64  // bytes that the kernel has not taken, because peers read slowly

	Panics        uint64        // in callbacks
	SlowCallbacks uint64        // callbacks that blocked a loop for Options.SlowCallback
	Cycles        uint64        // of the loops
	Busy          time.Duration // in cycles, not waiting for events; of all loops together
	MaxLag        time.Duration // the longest cycle, in which nothing else of its loop is served

	// LogDropped counts records lost because the log is written too slowly: of Options.Logger and
	// of loggers that share its queue, such as access logs. That of one loop is 0.
	LogDropped uint64
}

// Open is the number of connections now, of both kinds. Any goroutine.
func (s Stats) Open() uint64 { return s.Accepted + s.Dialled - s.Closed }

// Add sums two Stats. MaxLag is the longer one. Any goroutine.
func (s Stats) Add(o Stats) Stats {
	longest := max(s.MaxLag, o.MaxLag)
	sum, other := reflect.ValueOf(&s).Elem(), reflect.ValueOf(o)
	for i := range sum.NumField() {
		if f := sum.Field(i); f.CanUint() {
			f.SetUint(f.Uint() + other.Field(i).Uint())
		} else {
			f.SetInt(f.Int() + other.Field(i).Int())
		}
	}
	s.MaxLag = longest
	return s
}

func (s *Stats) ended(cause error) {
	s.Closed++
	switch cause {
	case nil, io.EOF:
	case ErrInputFull:
		s.InputOverflows++
	case ErrOutputFull:
		s.OutputOverflows++
	default:
		var errno unix.Errno
		if errors.As(cause, &errno) {
			s.SocketErrors++
		}
	}
}

func (s *Stats) worked(d time.Duration) {
	s.Cycles++
	s.Busy += d
	s.MaxLag = max(s.MaxLag, d)
}

// snapshot is the copy of the counts for other goroutines, made before each wait: a lock that is
// hardly ever contended costs less than atomic counters, and nobody waits for a blocked loop.
type snapshot struct {
	mu     sync.Mutex
	stats  Stats       // guarded by mu
	cycle  int64       // guarded by mu: when the last cycle that has ended began
	counts []publisher // guarded by mu: the protocols' own
}

func (l *Loop) publish() {
	p := &l.published
	p.mu.Lock()
	p.stats = l.count
	p.cycle = l.now
	for _, c := range p.counts {
		c.publish()
	}
	p.mu.Unlock()
}

// Stats returns the loop's counts as of its last wait. Any goroutine.
func (l *Loop) Stats() Stats {
	l.published.mu.Lock()
	defer l.published.mu.Unlock()
	return l.published.stats
}

// Counts is a protocol's counts on one loop: a T of plain numbers, which costs an increment, and a
// copy for each cycle. Make one for each loop, in a PerLoop: it is published while anybody refers
// to it, and at most as long as its loop runs.
type Counts[T any] struct {
	Own *T // to count in. Loop only

	numbers *numbers[T]
}

// numbers are those of a Counts, which they do not refer to.
type numbers[T any] struct {
	loop *Loop
	own  T
	seen T // guarded by loop.published.mu
}

type publisher interface {
	publish() // with loop.published.mu locked
}

// NewCounts returns counts that l publishes before each wait. Loop only.
func NewCounts[T any](l *Loop) *Counts[T] {
	n := &numbers[T]{loop: l}
	c := &Counts[T]{Own: &n.own, numbers: n}
	l.published.mu.Lock()
	defer l.published.mu.Unlock()
	l.published.counts = append(l.published.counts, n)
	runtime.AddCleanup(c, l.unpublish, publisher(n))
	return c
}

// unpublish may be called on any goroutine.
func (l *Loop) unpublish(p publisher) {
	l.published.mu.Lock()
	defer l.published.mu.Unlock()
	l.published.counts = slices.DeleteFunc(l.published.counts, func(other publisher) bool { return other == p })
}

func (n *numbers[T]) publish() { n.seen = n.own }

// Read returns the counts as of the loop's last wait. Any goroutine.
func (c *Counts[T]) Read() T {
	n := c.numbers
	n.loop.published.mu.Lock()
	defer n.loop.published.mu.Unlock()
	return n.seen
}

// PerLoop keeps a value for each loop, such as caches, free lists and Counts, which need no lock.
// The zero value is empty. Any goroutine.
type PerLoop[T any] struct {
	mu     sync.Mutex
	values map[*Loop]T // guarded by mu
}

// Get returns the value for l, which create makes once, with the PerLoop locked.
func (p *PerLoop[T]) Get(l *Loop, create func() T) T {
	p.mu.Lock()
	defer p.mu.Unlock()
	v, ok := p.values[l]
	if !ok {
		if p.values == nil {
			p.values = map[*Loop]T{}
		}
		v = create()
		p.values[l] = v
	}
	return v
}

// Each calls fn with each loop and its value, on the goroutine of the caller, with the PerLoop
// locked. State that only the loop may use needs a Post.
func (p *PerLoop[T]) Each(fn func(l *Loop, v T)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l, v := range p.values {
		fn(l, v)
	}
}
