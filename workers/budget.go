package workers

import "time"

// budget counts the crashes of the last while.
type budget struct {
	most   int
	window time.Duration
	recent []time.Time
}

// spend notes a crash, and says whether it is one too many.
func (b *budget) spend(now time.Time) (exceeded bool) {
	kept := b.recent[:0]
	for _, at := range b.recent {
		if now.Sub(at) < b.window {
			kept = append(kept, at)
		}
	}
	b.recent = append(kept, now)
	return len(b.recent) > b.most
}

// stable is how long a worker must have served for its end to be no sign of a bad
// start.
const stable = time.Second

// backoff says how long to wait before a worker is started again.
type backoff struct {
	first, most time.Duration
	next        time.Duration
}

// after returns the wait after a worker that has served for so long: none after one
// that was stable.
func (b *backoff) after(served time.Duration) time.Duration {
	if served >= stable {
		b.next = 0
		return 0
	}
	b.next = min(max(b.first, 2*b.next), b.most)
	return b.next
}
