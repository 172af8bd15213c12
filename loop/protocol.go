package loop

// Protocol opens a connection: accepted, dialled, adopted, or handed over by another
// protocol (Conn.SetProtocol). It is called on the connection's loop, before anything
// else, and may set the connection's settings, its first deadline and layers, and write.
// The Handler that it returns gets the connection's input and events; nil aborts the
// connection. To leave the connection to another protocol, return the Handler of that
// one: so a wrapper is a function around a Protocol.
//
// One Protocol serves all connections of a listener, and two loops call it at the same
// time: shared state belongs into Conn.SetUserData, into a PerLoop, or behind a lock.
type Protocol func(c *Conn) Handler

// Handler handles the input and the events of one connection, or of many. Its methods
// run on the connection's loop and must not block: all other connections of the loop
// wait meanwhile. A wrapper embeds a Handler and overrides a method.
type Handler interface {
	// OnData is called with new input. in is valid until it returns, and is never
	// empty, except after ReadBuffer. It returns how many bytes of in are used. The rest
	// is kept and comes back with more appended to it, up to Settings.MaxInput. It may
	// change bytes that it uses, to unmask them in place for example; unused bytes come
	// back as OnData left them. A number below 0 or above len(in) aborts the connection.
	OnData(c *Conn, in []byte) (used int)
	// OnEvent is called for everything else. The default action of an event, which its
	// comment describes, follows if it returns false.
	OnEvent(c *Conn, e Event) (handled bool)
}

// Event is an event of a connection, for OnEvent.
type Event uint8

const (
	// EventWritable: pending output, which was above the high-water mark, has fallen to
	// the low-water mark. Default: none.
	EventWritable Event = iota + 1
	// EventEOF, once: the peer has stopped sending, and everything it sent has been
	// read; input that OnData has not used is still kept. Default: the connection closes
	// after its pending output.
	EventEOF
	// EventHangup, at most once: the peer has stopped sending while the connection is
	// not being read (PauseRead, or output above its mark). A connection without a socket
	// never gets it: only Read of its Transport finds the end. Default: none.
	EventHangup
	// EventTimeout: the deadline has passed. The handler should close the connection or
	// set another deadline: one of SetTimeout is unset before the call. Without
	// SetTimeout, the event comes after every Settings.IdleTimeout without input.
	// Default: the connection is aborted with ErrTimeout.
	EventTimeout
	// EventShutdown: the engine drains. The handler should finish its work and close the
	// connection. Default: CloseIdle after the grace period,
	// whether or not the connection is idle; pending output is still sent.
	EventShutdown
	// EventClosed, once, after everything else. Conn.Err is the cause. Default: none.
	EventClosed
)

var eventNames = [...]string{
	EventWritable: "Writable", EventEOF: "EOF", EventHangup: "Hangup",
	EventTimeout: "Timeout", EventShutdown: "Shutdown", EventClosed: "Closed",
}

// String is the name of the event, without its prefix.
func (e Event) String() string { return eventNames[e] }

// BufferSupplier is an optional part of a Handler that gathers much input: it supplies
// the memory that the connection is read into, which saves a copy. A wrapper that hides
// it costs this saving, nothing else.
type BufferSupplier interface {
	// ReadBuffer is called before the connection is read, unless unused input is kept.
	// Input is read into the slice that it returns, up to 256 KiB; nil selects the
	// loop's own buffer. OnData follows at once, with the part of the slice that was
	// filled. It is empty if there was no input after all.
	ReadBuffer(c *Conn) []byte
}
