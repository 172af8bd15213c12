package loop

import (
	"errors"
	"io"
	"time"

	"golang.org/x/sys/unix"
)

// Stats counts events since the start, on one loop or on all of an engine.
// PendingOutput is as of now, MaxLag a maximum; everything else only grows.
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
	WriteTimeouts   uint64 // of these, connections ended because the peer did not take its output
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

	// LogDropped counts log records that were lost because the log is written too slowly:
	// those of Options.Logger, and of loggers that share its queue, such as access logs.
	// It is the engine's: that of one loop is 0.
	LogDropped uint64
}

// Open is the number of connections now, of both kinds. Any goroutine.
func (s Stats) Open() uint64 { return s.Accepted + s.Dialled - s.Closed }

// Add sums two Stats. MaxLag is the longer one. Any goroutine.
func (s Stats) Add(o Stats) Stats {
	s.Accepted += o.Accepted
	s.Dialled += o.Dialled
	s.Closed += o.Closed
	s.Refused += o.Refused
	s.Dropped += o.Dropped
	s.DialErrors += o.DialErrors
	s.AcceptErrors += o.AcceptErrors
	s.AcceptPauses += o.AcceptPauses
	s.LimitPauses += o.LimitPauses
	s.TimedOut += o.TimedOut
	s.WriteTimeouts += o.WriteTimeouts
	s.LingerTimeouts += o.LingerTimeouts
	s.SocketErrors += o.SocketErrors
	s.InputOverflows += o.InputOverflows
	s.OutputOverflows += o.OutputOverflows
	s.BytesRead += o.BytesRead
	s.BytesWritten += o.BytesWritten
	s.PendingOutput += o.PendingOutput
	s.Panics += o.Panics
	s.SlowCallbacks += o.SlowCallbacks
	s.Cycles += o.Cycles
	s.Busy += o.Busy
	s.MaxLag = max(s.MaxLag, o.MaxLag)
	s.LogDropped += o.LogDropped
	return s
}

// ended counts a connection's end, by its cause.
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

// worked counts a cycle, which took d.
func (s *Stats) worked(d time.Duration) {
	s.Cycles++
	s.Busy += d
	s.MaxLag = max(s.MaxLag, d)
}
