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
	// Settings are the limits and deadlines of a listener's connections, which a
	// Tuner may change before there are any.
	Settings = loop.Settings
	// Stats counts what happened since the start: see Engine.Stats.
	Stats = loop.Stats
	// PanicError is what OnClose is told of a callback that panicked.
	PanicError = loop.PanicError
	// BlockedError is part of what Run and Shutdown return when a callback blocks its
	// loop beyond the end of a drain.
	BlockedError = loop.BlockedError

	// Protocol is what a listener's connections speak.
	Protocol = loop.Protocol
	// Lender is a Protocol with InputSpace: it has a place of its own for input.
	Lender = loop.Lender
	// DrainHandler is a Protocol with OnDrain: there is room for output again.
	DrainHandler = loop.DrainHandler
	// TimeoutHandler is a Protocol with OnTimeout: its deadline has passed.
	TimeoutHandler = loop.TimeoutHandler
	// EOFHandler is a Protocol with OnEOF: the peer has stopped sending.
	EOFHandler = loop.EOFHandler
	// HangupHandler is a Protocol with OnHangup: the peer has stopped sending while
	// it is not being read.
	HangupHandler = loop.HangupHandler
	// Refuser is a Protocol with Refusing: there is no room for a connection.
	Refuser = loop.Refuser
	// ShutdownHandler is a Protocol with OnShutdown: the engine drains.
	ShutdownHandler = loop.ShutdownHandler
	// Binder is a Protocol that makes an instance of itself for each loop.
	Binder = loop.Binder
	// Tuner is a Protocol with limits and deadlines of its own.
	Tuner = loop.Tuner
)

// Counts is what a protocol counts on one loop, for others to read.
type Counts[T any] = loop.Counts[T]

// NewCounts returns counts that l publishes before each wait: call it in Bind. Loop
// only.
func NewCounts[T any](l *Loop) *Counts[T] { return loop.NewCounts[T](l) }

// The errors that a protocol meets: OnClose is told of them, and methods return them.
// Compare with errors.Is.
var (
	// ErrClosed says that the connection is closing or closed.
	ErrClosed = loop.ErrClosed
	// ErrServerClosed says that the engine has shut down, or is about to.
	ErrServerClosed = loop.ErrServerClosed
	// ErrOutputFull says that the peer takes its output more slowly than it is
	// written. Conn.Write has then aborted the connection, Ref.Write has not.
	ErrOutputFull = loop.ErrOutputFull
	// ErrInputFull says that OnData left more input unused than Options.MaxInput.
	ErrInputFull = loop.ErrInputFull
	// ErrInboxFull says that more than a million tasks wait for the loop: Post and
	// Ref give it fewer, or later.
	ErrInboxFull = loop.ErrInboxFull
	// ErrTimeout says that a deadline has passed.
	ErrTimeout = loop.ErrTimeout
	// ErrWriteTimeout says that the peer did not take its output in time.
	ErrWriteTimeout = loop.ErrWriteTimeout
	// ErrGoexit says that a callback has called runtime.Goexit, as testing.T.FailNow
	// does: it ends its loop, and so the engine. Run returns it.
	ErrGoexit = loop.ErrGoexit
	// ErrDetached says that the connection has left its loop, by Conn.Detach.
	ErrDetached = loop.ErrDetached
)
