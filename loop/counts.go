package loop

// Counts is what a protocol counts on one loop: a T of plain numbers, which costs an
// increment on the loop, and a copy for each cycle. Make one for each loop, in Bind:
// it lasts as long as its loop does.
type Counts[T any] struct {
	Own T // to count in. Loop only

	loop *Loop
	seen T // guarded by loop.published.mu
}

// publisher is a Counts of whatever type.
type publisher interface {
	publish() // with loop.published.mu locked
}

// NewCounts returns counts that l publishes before each wait. Loop only.
func NewCounts[T any](l *Loop) *Counts[T] {
	c := &Counts[T]{loop: l}
	l.published.mu.Lock()
	defer l.published.mu.Unlock()
	l.published.counts = append(l.published.counts, c)
	return c
}

func (c *Counts[T]) publish() { c.seen = c.Own }

// Read returns the counts as of the loop's last wait. Any goroutine.
func (c *Counts[T]) Read() T {
	c.loop.published.mu.Lock()
	defer c.loop.published.mu.Unlock()
	return c.seen
}
