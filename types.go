package eddy

import (
	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/loop"
)

// The types that a protocol deals with. They live in package loop; the names here
// let a program do with one import.
type (
	// Conn is one connection. Loop only.
	Conn = loop.Conn
	// Buffer is what Conn.Out returns and Conn.WriteBuffer takes.
	Buffer = buffers.Buffer
	// Ref is the handle of a connection for other goroutines.
	Ref = loop.Ref
	// Loop is the reactor that a connection lives on.
	Loop = loop.Loop
	// Timer is what Conn.After and Loop.After return.
	Timer = loop.Timer
	// Settings are the limits and deadlines of a listener's connections.
	Settings = loop.Settings
	// Stats counts what happened.
	Stats = loop.Stats
	// PanicError is what OnClose is told of a callback that panicked.
	PanicError = loop.PanicError

	// Protocol is what a listener's connections speak.
	Protocol = loop.Protocol
	// The optional parts of a Protocol.
	DrainHandler    = loop.DrainHandler
	TimeoutHandler  = loop.TimeoutHandler
	EOFHandler      = loop.EOFHandler
	HangupHandler   = loop.HangupHandler
	ShutdownHandler = loop.ShutdownHandler
	Binder          = loop.Binder
	Tuner           = loop.Tuner
)

// Counts is what a protocol counts on one loop, for others to read.
type Counts[T any] = loop.Counts[T]

// NewCounts returns counts that l publishes before each wait: call it in Bind. Loop
// only.
func NewCounts[T any](l *Loop) *Counts[T] { return loop.NewCounts[T](l) }

// The errors that a protocol meets, as in package loop.
var (
	ErrClosed       = loop.ErrClosed
	ErrServerClosed = loop.ErrServerClosed
	ErrOutputFull   = loop.ErrOutputFull
	ErrInputFull    = loop.ErrInputFull
	ErrTimeout      = loop.ErrTimeout
	ErrWriteTimeout = loop.ErrWriteTimeout
)
