package loop

// Protocol opens a connection: accepted, dialled, adopted, or handed over (Conn.SetProtocol). It is
// called first, on the connection's loop, and may set settings, the first deadline and layers, and
// write. The Handler that it returns gets input and events; nil aborts the connection. A wrapper is
// a function around a Protocol. Two loops call a Protocol at the same time: shared state belongs
// into Conn.SetUserData, into a PerLoop, or behind a lock.
type Protocol func(c *Conn) Handler

// Handler handles the input and the events of one connection, or of many, on its loop. It must not
// block: all connections of the loop would wait. A wrapper embeds a Handler and overrides a method.
type Handler interface {
	// OnData is called with new input. in is valid until it returns, and not empty, except after
	// ReadBuffer. It returns how many bytes are used, and may have changed these, for example to
	// unmask them. The rest comes back unchanged, with more appended, up to Settings.MaxInput. A
	// number below 0 or above len(in) aborts the connection.
	OnData(c *Conn, in []byte) (used int)
	// OnEvent is called for everything else. After false, the event's default action follows.
	OnEvent(c *Conn, e Event) (handled bool)
}

// Event is an event of a connection, for OnEvent.
type Event uint8

const (
	// EventWritable: output has fallen from the high-water to the low-water mark. Default: none.
	EventWritable Event = iota + 1
	// EventEOF, once: the peer has stopped sending, and all was read; unused input is still kept.
	// Default: the connection closes after its pending output.
	EventEOF
	// EventHangup, at most once, and only with a socket: the peer has stopped sending while the
	// connection is not read (PauseRead, or output above its mark). Default: none.
	EventHangup
	// EventTimeout: the deadline of SetTimeout has passed, and is unset: set another one, or close.
	// Without SetTimeout: every Settings.IdleTimeout without input. Default: Abort with ErrTimeout.
	EventTimeout
	// EventShutdown: the engine drains. The handler should finish its work and close. Default:
	// after the grace period CloseIdle, or Close if input has come meanwhile.
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

// BufferSupplier is an optional part of a Handler that gathers much input: it supplies the memory
// to read into, which saves a copy. A wrapper that hides it costs only this.
type BufferSupplier interface {
	// ReadBuffer is called before the connection is read, unless unused input is kept. Up to 256
	// KiB are read into the slice that it returns; nil is the buffer of the loop. OnData follows at
	// once, with the part that was filled, possibly empty.
	ReadBuffer(c *Conn) []byte
}
