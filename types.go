package eddy

import (
	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/loop"
)

// The types that nearly every protocol deals with live in package loop, which has the documentation
// of their methods; the names here let many programs do with one import. Package loop has the rest:
// timers, counts, values for each loop, errors.
type (
	// Conn is one connection: all methods are for its own loop only.
	Conn = loop.Conn
	// Buffer is a buffer of Conn.Out and Conn.WriteBuffer: append to its B.
	Buffer = buffers.Buffer
	// Ref is the handle of a connection for any goroutine.
	Ref = loop.Ref
	// Loop is the reactor that a connection lives on: timers, and Post from any goroutine.
	Loop = loop.Loop
	// Settings are the limits and deadlines of a connection: see Conn.SetSettings.
	Settings = loop.Settings
	// Stats counts events since the start: see Engine.Stats.
	Stats = loop.Stats
	// BlockedError is part of the error of Run and Shutdown when a callback blocks its loop.
	BlockedError = loop.BlockedError

	// Protocol opens the connections of a listener.
	Protocol = loop.Protocol
	// Handler handles the input and the events of connections.
	Handler = loop.Handler
	// Event is an event of a connection, for Handler.OnEvent.
	Event = loop.Event
	// Transport stands above a socket (Conn.AddLayer) or in its place (Loop.AdoptTransport).
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

// The errors of an engine, also of Conn.Err and of methods: compare with errors.Is.
var (
	// ErrServerClosed: the engine has shut down, or is about to.
	ErrServerClosed = loop.ErrServerClosed
	// ErrGoexit, of Run: a callback has called runtime.Goexit, as testing.T.FailNow does.
	ErrGoexit = loop.ErrGoexit
)
