package loop

import (
	"runtime"
	"slices"
)

// Counts is what a protocol counts on one loop: a T of plain numbers, which costs an
// increment on the loop, and a copy for each cycle. Make one for each loop, in Bind:
// it is published until nobody refers to it any more, and at most as long as its loop
// runs.
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

// publisher is a numbers of whatever type.
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
