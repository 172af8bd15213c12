package workers

import "time"

// budget limits the crashes within a sliding window.
type budget struct {
	most   int
	window time.Duration
	recent []time.Time
}

// spend records a crash. exceeded means that it is one more than most.
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

// stable is the minimum time that a worker must have served to be restarted without a
// delay.
const stable = time.Second

// backoff is the delay before a worker is restarted. It doubles with each failed start.
type backoff struct {
	first, most time.Duration
	next        time.Duration
}

// after returns the delay after a worker that has served for so long: zero after a
// stable one.
func (b *backoff) after(served time.Duration) time.Duration {
	if served >= stable {
		b.next = 0
		return 0
	}
	b.next = min(max(b.first, 2*b.next), b.most)
	return b.next
}
