//go:build linux

package unix

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLevelTriggeredNoteIsReportedAgain(t *testing.T) {
	kq := newKqueue(t)
	a, b := pair(t)
	apply(t, kq, change(a, EVFILT_READ, EV_ADD))
	none(t, kq)
	write(t, b, "hello")
	for range 3 {
		if k := one(t, kq); int(k.Ident) != a || k.Filter != EVFILT_READ || k.Data != 5 || k.Flags != 0 {
			t.Fatalf("%+v", k)
		}
	}
	read(t, a, 5)
	none(t, kq)
	write(t, b, "again")
	one(t, kq)
}

func TestClearReportsEachChangeOnce(t *testing.T) {
	kq := newKqueue(t)
	a, b := pair(t)
	apply(t, kq, change(a, EVFILT_READ, EV_ADD|EV_CLEAR))
	for range 3 {
		write(t, b, "x") // stays unread
		one(t, kq)
		none(t, kq)
	}
	must(t, unix.Shutdown(b, unix.SHUT_WR))
	if k := one(t, kq); k.Flags != EV_CLEAR|EV_EOF || k.Data != 3 {
		t.Errorf("%+v", k)
	}
	none(t, kq)
}

// A read note ignores changes in the other direction.
func TestClearedReadNoteIgnoresBufferSpace(t *testing.T) {
	kq := newKqueue(t)
	a, b := pair(t)
	write(t, b, "x")
	apply(t, kq, change(a, EVFILT_READ, EV_ADD|EV_CLEAR))
	one(t, kq)
	drain(t, b, fill(t, a))
	none(t, kq)
}

// EV_ADD reports a filter that is true once, on a new note and on an existing one.
func TestAddEvaluatesTheFilter(t *testing.T) {
	kq := newKqueue(t)
	a, b := pair(t)
	write(t, b, "x")
	for range 3 {
		apply(t, kq, change(a, EVFILT_READ, EV_ADD|EV_CLEAR))
		one(t, kq)
		none(t, kq)
	}
}

func TestAddingAgainKeepsClear(t *testing.T) {
	kq := newKqueue(t)
	a, b := pair(t)
	write(t, b, "x")
	apply(t, kq, change(a, EVFILT_READ, EV_ADD|EV_CLEAR))
	apply(t, kq, change(a, EVFILT_READ, EV_ADD))
	one(t, kq)
	none(t, kq)

	apply(t, kq, change(a, EVFILT_READ, EV_DELETE), change(a, EVFILT_READ, EV_ADD))
	apply(t, kq, change(a, EVFILT_READ, EV_ADD|EV_CLEAR))
	one(t, kq)
	one(t, kq)
}

func TestAddingAgainReplacesLowWater(t *testing.T) {
	kq := newKqueue(t)
	a, b := pair(t)
	write(t, b, "12345")
	apply(t, kq, lowat(a, 6, 0))
	none(t, kq)
	apply(t, kq, lowat(a, 5, 0))
	one(t, kq)
	apply(t, kq, lowat(a, 6, 0))
	none(t, kq)
	apply(t, kq, change(a, EVFILT_READ, EV_ADD))
	one(t, kq)
}

func TestDelete(t *testing.T) {
	kq := newKqueue(t)
	a, b := pair(t)
	write(t, b, "x")
	fails(t, kq, change(a, EVFILT_READ, EV_DELETE), unix.ENOENT)
	apply(t, kq, change(a, EVFILT_READ, EV_ADD), change(a, EVFILT_WRITE, EV_ADD))
	apply(t, kq, change(a, EVFILT_READ, EV_DELETE))
	for range 2 {
		if k := one(t, kq); k.Filter != EVFILT_WRITE {
			t.Errorf("%+v", k)
		}
	}
	fails(t, kq, change(a, EVFILT_READ, EV_DELETE), unix.ENOENT)
	apply(t, kq, change(a, EVFILT_WRITE, EV_DELETE))
	none(t, kq)
}

func TestChangesThatFail(t *testing.T) {
	kq := newKqueue(t)
	a, _ := pair(t)
	closed, _ := pair(t)
	must(t, unix.Close(closed))
	fails(t, kq, change(closed, EVFILT_READ, EV_ADD), unix.EBADF)
	fails(t, kq, change(closed, EVFILT_READ, EV_DELETE), unix.EBADF)
	fails(t, kq, change(a, EVFILT_READ, 0), unix.ENOENT)
	fails(t, kq, change(a, -100, EV_ADD), unix.EINVAL)
	fails(t, a, change(a, EVFILT_READ, EV_ADD), unix.EBADF)

	// With an event list, an error is an event, and later changes are applied.
	events := make([]Kevent_t, 4)
	n, err := Kevent(kq, []Kevent_t{
		change(a, EVFILT_READ, EV_DELETE),
		change(a, EVFILT_WRITE, EV_ADD),
	}, events, nil)
	must(t, err)
	if n != 1 || events[0].Flags != EV_ERROR || events[0].Data != int64(unix.ENOENT) {
		t.Errorf("events %+v, want one error", events[:n])
	}
	one(t, kq)

	// Without one, the first error ends the call.
	apply(t, kq, change(a, EVFILT_WRITE, EV_DELETE))
	_, err = Kevent(kq, []Kevent_t{change(a, EVFILT_READ, EV_DELETE), change(a, EVFILT_WRITE, EV_ADD)}, nil, nil)
	if err != unix.ENOENT {
		t.Errorf("%v, want ENOENT", err)
	}
	none(t, kq)
}

func TestCloseRemovesNotes(t *testing.T) {
	kq := newKqueue(t)
	a, b := pair(t)
	other, err := unix.Dup(a) // keeps the socket open
	must(t, err)
	closedAtEnd(t, other)
	apply(t, kq, change(a, EVFILT_READ, EV_ADD), change(a, EVFILT_WRITE, EV_ADD))
	both := now(t, kq)
	if len(both) != 1 {
		t.Fatalf("%+v", both)
	}
	must(t, unix.Close(a))
	none(t, kq)
	write(t, b, "x")
	none(t, kq)

	// A new descriptor with the same number has no notes.
	c, d := pair(t)
	write(t, d, "x")
	if c != a {
		must(t, unix.Dup2(c, a))
	}
	none(t, kq)
	fails(t, kq, change(a, EVFILT_READ, EV_DELETE), unix.ENOENT)
	apply(t, kq, change(a, EVFILT_READ, EV_ADD))
	one(t, kq)
}

func TestSocketReopenedUnderItsNumber(t *testing.T) {
	kq := newKqueue(t)
	a, b := pair(t)
	other, err := unix.Dup(a)
	must(t, err)
	closedAtEnd(t, other)
	apply(t, kq, change(a, EVFILT_READ, EV_ADD))
	must(t, unix.Close(a))
	none(t, kq)
	fails(t, kq, change(a, EVFILT_READ, EV_DELETE), unix.EBADF)
	must(t, unix.Dup2(other, a))
	apply(t, kq, change(a, EVFILT_READ, EV_ADD))
	write(t, b, "x")
	one(t, kq)
}

func TestNotesAreReportedInTurn(t *testing.T) {
	kq := newKqueue(t)
	var all []int
	for range 8 {
		a, _ := pair(t)
		apply(t, kq, change(a, EVFILT_WRITE, EV_ADD))
		all = append(all, a)
	}
	slices.Sort(all)
	var seen []Kevent_t
	for range 4 {
		events := make([]Kevent_t, 2)
		n, err := Kevent(kq, nil, events, nil)
		must(t, err)
		seen = append(seen, events[:n]...)
	}
	if got := idents(seen); !slices.Equal(got, all) {
		t.Errorf("served %v, want %v", got, all)
	}
}

func TestKqueuesAreIndependent(t *testing.T) {
	first, second := newKqueue(t), newKqueue(t)
	a, b := pair(t)
	apply(t, first, change(a, EVFILT_READ, EV_ADD|EV_CLEAR))
	apply(t, second, change(a, EVFILT_READ, EV_ADD))
	write(t, b, "x")
	one(t, first)
	none(t, first)
	one(t, second)
	one(t, second)
}

func TestKeventDoesNotAllocate(t *testing.T) {
	kq := newKqueue(t)
	a, b := pair(t)
	write(t, b, "x")
	add := []Kevent_t{change(a, EVFILT_READ, EV_ADD), change(a, EVFILT_WRITE, EV_ADD)}
	remove := []Kevent_t{change(a, EVFILT_READ, EV_DELETE), change(a, EVFILT_WRITE, EV_DELETE)}
	events := make([]Kevent_t, 4)
	limit := &unix.Timespec{Nsec: 1000}
	allocations := testing.AllocsPerRun(100, func() {
		Kevent(kq, add, nil, nil)
		Kevent(kq, nil, events, limit)
		Kevent(kq, remove, nil, nil)
		Kevent(kq, nil, events, limit)
	})
	if allocations != 0 {
		t.Errorf("%v allocations, want none: the poller's tests count allocations", allocations)
	}
}
