// Package poller tells which sockets are ready, and nothing else: it does not
// read, accept, run tasks or log. Linux uses epoll(7), the BSDs and darwin
// kqueue(2); this file is the contract that every backend keeps, and the suite in
// contract_test.go and contract_wait_test.go holds the platform's to it. On Linux,
// tests/kqueue holds the kqueue one to it as well, on a model of kqueue(2).
//
//   - Readiness is level-triggered: an event comes back in every Wait until its
//     cause is gone or its Interest is withdrawn.
//   - One registration yields at most one Event in a Wait, its conditions merged.
//   - A registration is known by its Token, never by its descriptor. A backend
//     may still deliver an event of a descriptor that was closed meanwhile; the
//     generation in the token is how the owner recognises it.
//   - Closing the descriptor ends its registration. Delete is for descriptors
//     that live on, or that another process holds too.
//   - Only Wake may be called from any goroutine. Everything else belongs to the
//     goroutine that calls Wait. Close must not run beside any other call.
//
// It serves the engine's loops. Programs have no need of it, but may use it by itself:
// see the example.
package poller

import "time"

// Token names a registration: a slot in the owner's table in the low 32 bits,
// that slot's generation in the high 32.
type Token uint64

// NewToken joins a slot and its generation.
func NewToken(slot, generation uint32) Token {
	return Token(generation)<<32 | Token(slot)
}

// Slot is the owner's table index.
func (t Token) Slot() uint32 { return uint32(t) }

// Generation tells this use of the slot from earlier and later ones.
func (t Token) Generation() uint32 { return uint32(t >> 32) }

// wakeToken marks the backend's own wake-up registration. Owners must not use it.
const wakeToken = ^Token(0)

// Interest is what a registration waits for. The zero value waits for failures
// only: Failed is reported whatever the interest. So may be Read and ReadClosed
// (by epoll, not by kqueue) once both directions are shut, as a unix socket's are
// when its peer has closed. Neither can be switched off: an owner that is not
// ready to read the end deletes the registration, and adds it again later.
type Interest uint8

const (
	// Readable asks for Read and ReadClosed.
	Readable Interest = 1 << iota
	// Writable asks for Write.
	Writable
	// Hangup asks for ReadClosed alone, for a connection whose input waits
	// unread while its peer may leave. Readable includes it.
	Hangup
)

// Ready is the set of conditions of one Event.
type Ready uint8

const (
	// Read says that a read will not block. It comes with ReadClosed while
	// unread bytes may stand before the end.
	Read Ready = 1 << iota
	// Write says that a write will not block. It may fail.
	Write
	// ReadClosed says that the peer has stopped sending: behind the bytes still
	// unread stands the end of input.
	ReadClosed
	// Failed says that the socket is broken, by a reset for example. The next
	// read or write returns the cause, which ends Failed; unread bytes may be
	// lost. The owner must close the descriptor or delete it: the event cannot be
	// switched off. What comes beside Failed differs by platform.
	Failed
)

// Event is one ready registration.
type Event struct {
	Token Token
	Ready Ready
}

// Forever as a timeout makes Wait block until an event or a Wake.
const Forever time.Duration = -1

// MaxEvents bounds the events of one Wait, so that timers and tasks get their turn
// between the batches of a busy loop. A wake-up may count as one.
const MaxEvents = 256

// backend is what each platform file provides as *Poller.
type backend interface {
	// Add registers fd, which must be non-blocking and not registered here yet.
	Add(fd int, token Token, interest Interest) error
	// Set replaces the interest of a registered fd. The token is given again,
	// because some backends store it anew. After an error nothing is sure but
	// that closing fd still ends the registration.
	Set(fd int, token Token, interest Interest) error
	// Delete ends the registration of an open fd.
	Delete(fd int) error
	// Wait blocks until something is ready, Wake is called, or timeout has
	// passed: negative waits for ever, zero polls, and what is between is rounded
	// up to the backend's resolution, so that a timer is never early. It returns
	// no event after a wake-up, a timeout or a signal, and may do so early after
	// a signal, for a condition nobody asked for, or when timeout is a day or more:
	// the caller looks at its clock. The slice is the poller's own and valid until
	// the next Wait.
	Wait(timeout time.Duration) ([]Event, error)
	// Wake makes the current Wait, or else the next one, return. Calls made
	// before that Wait returns may count as one. Any goroutine may call it.
	Wake() error
	// Close releases the poller's descriptors. Registered ones stay open.
	Close() error
}

var _ backend = (*Poller)(nil)
