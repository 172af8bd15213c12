package loop

import (
	"runtime"
	"slices"
	"sync"
)

// snapshot is the copy of a loop's counts for other goroutines, made before each wait so
// that counting itself needs no lock. One lock that is hardly ever contended, and one
// copy, cost less than a handful of atomic counters; and nobody has to wait for a loop,
// which may be blocked.
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

// Counts is a protocol's counts on one loop: a T of plain numbers, which costs an
// increment on the loop, and a copy for each cycle. Make one for each loop, in a
// PerLoop: it is published until nobody refers to it any more, and at most as long as its
// loop runs.
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

// publisher is a numbers of any type.
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

// PerLoop keeps a value for each loop: a protocol's caches, free lists and Counts there,
// which need no lock. The zero value is empty. Any goroutine.
type PerLoop[T any] struct {
	mu     sync.Mutex
	values map[*Loop]T // guarded by mu
}

// Get returns the value for l, which is made by the first call. create runs with the
// PerLoop locked.
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

// Each calls fn with each loop and its value, with the PerLoop locked.
func (p *PerLoop[T]) Each(fn func(l *Loop, v T)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l, v := range p.values {
		fn(l, v)
	}
}
