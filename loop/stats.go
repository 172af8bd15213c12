package loop

import "sync"

// Stats counts what happened since the start, on one loop or on all of an engine.
type Stats struct {
	Accepted     uint64 // connections, dialled ones included
	Closed       uint64 // connections
	TimedOut     uint64 // deadlines of connections that passed
	AcceptPauses uint64 // times a listener was disarmed for a shortage or a limit
	BytesRead    uint64 // from connections
	BytesWritten uint64 // to connections, as far as the kernel has taken them
	Panics       uint64 // in callbacks
}

// Open is the number of connections now, dialled ones included. Any goroutine.
func (s Stats) Open() uint64 { return s.Accepted - s.Closed }

// Add sums two Stats. Any goroutine.
func (s Stats) Add(o Stats) Stats {
	s.Accepted += o.Accepted
	s.Closed += o.Closed
	s.TimedOut += o.TimedOut
	s.AcceptPauses += o.AcceptPauses
	s.BytesRead += o.BytesRead
	s.BytesWritten += o.BytesWritten
	s.Panics += o.Panics
	return s
}

// snapshot is the copy of a loop's Stats for other goroutines, made once a cycle
// so that counting itself needs no lock.
type snapshot struct {
	mu    sync.Mutex
	stats Stats
}

func (l *Loop) publish() {
	l.published.mu.Lock()
	l.published.stats = l.count
	l.published.mu.Unlock()
}

// Stats returns the loop's counts as of its last cycle. Any goroutine.
func (l *Loop) Stats() Stats {
	l.published.mu.Lock()
	defer l.published.mu.Unlock()
	return l.published.stats
}
