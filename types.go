package eddy

import (
	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/loop"
)

// The types that a protocol deals with, and most of the methods, live in package
// loop; the names here let a program do with one import.
type (
	// Conn is one connection: all methods are for its own loop only.
	Conn = loop.Conn
	// Buffer is what Conn.Out returns and Conn.WriteBuffer takes: append to its B.
	Buffer = buffers.Buffer
	// Ref is the handle of a connection for any goroutine.
	Ref = loop.Ref
	// Loop is the reactor that a connection lives on: timers, and Post from any
	// goroutine.
	Loop = loop.Loop
	// Timer is what Conn.After and Loop.After return: Stop it on its loop.
	Timer = loop.Timer
	// Settings are the limits and deadlines of a connection, which its protocol may
	// change: see Conn.SetSettings.
	Settings = loop.Settings
	// Stats counts what happened since the start: see Engine.Stats.
	Stats = loop.Stats
	// PanicError is the cause of a connection's end when a callback panicked.
	PanicError = loop.PanicError
	// BlockedError is part of what Run and Shutdown return when a callback blocks its
	// loop beyond the end of a drain.
	BlockedError = loop.BlockedError

	// Protocol opens the connections of a listener.
	Protocol = loop.Protocol
	// Handler handles the input and the events of connections.
	Handler = loop.Handler
	// Event is what Handler.OnEvent is called for.
	Event = loop.Event
	// BufferSupplier is an optional part of a Handler: it supplies the memory for input.
	BufferSupplier = loop.BufferSupplier
	// Transport stands between a connection and its socket, or in place of that: see
	// Conn.AddLayer and Loop.AdoptTransport.
	Transport = loop.Transport
)

// The events of a Handler: package loop describes each, and its default action.
const (
	EventWritable = loop.EventWritable
	EventEOF      = loop.EventEOF
	EventHangup   = loop.EventHangup
	EventTimeout  = loop.EventTimeout
	EventShutdown = loop.EventShutdown
	EventClosed   = loop.EventClosed
)

// PerLoop keeps a value for each loop, such as a protocol's caches and Counts.
type PerLoop[T any] = loop.PerLoop[T]

// Counts are a protocol's counts on one loop, for others to read.
type Counts[T any] = loop.Counts[T]

// NewCounts returns counts that l publishes before each wait. Loop only.
func NewCounts[T any](l *Loop) *Counts[T] { return loop.NewCounts[T](l) }

// The errors that a protocol meets: Conn.Err and methods return them.
// Compare with errors.Is.
var (
	// ErrClosed: the connection is closing or closed.
	ErrClosed = loop.ErrClosed
	// ErrServerClosed: the engine has shut down, or is about to.
	ErrServerClosed = loop.ErrServerClosed
	// ErrOutputFull: the peer takes its output more slowly than it is
	// written. Conn.Write has then aborted the connection, Ref.Write has not.
	ErrOutputFull = loop.ErrOutputFull
	// ErrInputFull: OnData left more input unused than Options.MaxInput.
	ErrInputFull = loop.ErrInputFull
	// ErrInboxFull: more than a million tasks wait for the loop: Post and
	// Ref give it fewer, or later.
	ErrInboxFull = loop.ErrInboxFull
	// ErrTimeout: a deadline has passed.
	ErrTimeout = loop.ErrTimeout
	// ErrWriteTimeout: the peer did not take its output in time.
	ErrWriteTimeout = loop.ErrWriteTimeout
	// ErrGoexit: a callback has called runtime.Goexit, as testing.T.FailNow
	// does: it ends its loop, and so the engine. Run returns it.
	ErrGoexit = loop.ErrGoexit
	// ErrDetached: the connection has left its loop, by Conn.Detach.
	ErrDetached = loop.ErrDetached
)
