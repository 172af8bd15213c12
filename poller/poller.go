// Package poller reports which sockets are ready, and nothing else: it does not read, accept, run
// tasks or log. Linux uses epoll(7), the BSDs and darwin kqueue(2). This file is the contract of
// every backend; contract_test.go and contract_wait_test.go test the platform's backend against it.
// On Linux, tests/kqueue tests the kqueue backend too, on a model of kqueue(2).
//
//   - Readiness is level-triggered: every Wait reports an event until its cause is
//     gone or its Interest is withdrawn.
//   - A registration yields at most one Event per Wait, with its conditions merged.
//   - A registration is identified by its Token, never by its descriptor. A backend
//     may still deliver an event of a descriptor that was closed meanwhile; the
//     owner recognises it by the generation in the token.
//   - Closing the descriptor ends its registration. Delete is for descriptors
//     that stay open, or that another process has open too.
//   - Wake may be called from any goroutine, everything else only from the goroutine
//     that calls Wait. Close must not run concurrently with any other call.
//
// The engine's loops use it. Programs do not need it, but may use it alone: see the example.
package poller

import "time"

// Token identifies a registration: a slot in the low 32 bits, its generation in the high 32.
type Token uint64

// NewToken joins a slot and its generation.
func NewToken(slot, generation uint32) Token {
	return Token(generation)<<32 | Token(slot)
}

// Slot is the owner's table index.
func (t Token) Slot() uint32 { return uint32(t) }

// Generation distinguishes this use of the slot from earlier and later ones.
func (t Token) Generation() uint32 { return uint32(t >> 32) }

// wakeToken marks the backend's own registration. Owners must not use it.
const wakeToken = ^Token(0)

// Interest is the conditions that a registration waits for. Failed is reported under every
// interest, even zero. On epoll, so are Read and ReadClosed once both directions are shut, for
// example when the peer of a unix socket has closed: an owner that is not ready to read the end
// deletes the registration and adds it again later.
type Interest uint8

const (
	// Readable requests Read and ReadClosed.
	Readable Interest = 1 << iota
	// Writable requests Write.
	Writable
	// Hangup requests ReadClosed alone, while reading is paused. Readable includes it.
	Hangup
)

// Ready is the set of conditions of one Event.
type Ready uint8

const (
	// Read: a read will not block. ReadClosed includes it, since unread bytes may precede the end.
	Read Ready = 1 << iota
	// Write: a write will not block. It may fail.
	Write
	// ReadClosed: the peer has stopped sending. The end of input follows the unread bytes.
	ReadClosed
	// Failed: the socket has an error, such as ECONNRESET. The next read or write returns and
	// clears it; unread bytes may be lost. The owner must close the descriptor or delete it: the
	// event cannot be disabled. Conditions reported together with Failed differ by platform.
	Failed
)

// Event is one ready registration.
type Event struct {
	Token Token
	Ready Ready
}

// Forever as a timeout makes Wait block until an event or a Wake.
const Forever time.Duration = -1

// MaxEvents bounds the events of a Wait, a wake-up included: timers and tasks run in between.
const MaxEvents = 256

// Backend is the poller of every system.
type Backend interface {
	// Add registers fd, which must be non-blocking and not registered here yet.
	Add(fd int, token Token, interest Interest) error
	// Set replaces the interest of a registered fd, and the token, which some backends store with
	// it. After an error the interest is undefined; closing fd still ends the registration.
	Set(fd int, token Token, interest Interest) error
	// Delete ends the registration of an open fd.
	Delete(fd int) error
	// Wait blocks until a registration is ready, Wake is called, or timeout has passed: Forever
	// blocks, zero polls, any other value is rounded up to the resolution of the backend, so that a
	// timer never fires early. It may return without an event: after a wake-up, a timeout, a
	// signal, a day, or for a condition outside the interest. The poller owns the slice, valid
	// until the next Wait.
	Wait(timeout time.Duration) ([]Event, error)
	// Park is Wait for a wait that is expected to be long. Where it can, it blocks as goroutines do
	// on their sockets, in the poller of Go's runtime: another goroutine has the processor at once,
	// and no thread is woken for the change. It takes two more system calls.
	Park(timeout time.Duration) ([]Event, error)
	// Wake makes the current Wait or Park return, or else the next one. Several may count as one.
	// Any goroutine.
	Wake() error
	// Close releases the poller's descriptors. Registered ones stay open.
	Close() error
}

var _ Backend = (*Poller)(nil)
