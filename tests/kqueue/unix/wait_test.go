//go:build linux

package unix

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func trigger() Kevent_t {
	k := change(1, EVFILT_USER, 0)
	k.Fflags = NOTE_TRIGGER
	return k
}

func TestUserEvent(t *testing.T) {
	kq := newKqueue(t)
	fails(t, kq, trigger(), unix.ENOENT)
	apply(t, kq, change(1, EVFILT_USER, EV_ADD|EV_CLEAR))
	none(t, kq)
	for range 2 {
		apply(t, kq, trigger())
		apply(t, kq, trigger()) // counts as one
		if k := one(t, kq); k.Ident != 1 || k.Filter != EVFILT_USER {
			t.Errorf("%+v", k)
		}
		none(t, kq)
	}
	apply(t, kq, trigger(), change(1, EVFILT_USER, EV_DELETE))
	none(t, kq)
	fails(t, kq, trigger(), unix.ENOENT)
}

func TestUserEventWithoutClearIsReportedAgain(t *testing.T) {
	kq := newKqueue(t)
	apply(t, kq, change(1, EVFILT_USER, EV_ADD))
	apply(t, kq, trigger())
	one(t, kq)
	one(t, kq)
}

// waits calls Kevent on a goroutine, again after EINTR.
func waits(kq int, timeout *unix.Timespec) <-chan Kevent_t {
	got := make(chan Kevent_t, 1)
	go func() {
		for {
			events := make([]Kevent_t, 1)
			if _, err := Kevent(kq, nil, events, timeout); err != unix.EINTR {
				got <- events[0]
				return
			}
		}
	}()
	return got
}

func TestBlockedKeventIsWoken(t *testing.T) {
	a, b := pair(t)
	for name, wake := range map[string]func(kq int){
		"a trigger":            func(kq int) { apply(t, kq, trigger()) },
		"a note that is added": func(kq int) { apply(t, kq, change(a, EVFILT_WRITE, EV_ADD)) },
		"a socket": func(kq int) {
			apply(t, kq, change(a, EVFILT_READ, EV_ADD))
			write(t, b, "x")
		},
	} {
		kq := newKqueue(t)
		apply(t, kq, change(1, EVFILT_USER, EV_ADD|EV_CLEAR))
		got := waits(kq, nil)
		time.Sleep(2 * time.Millisecond) // Kevent most likely blocks by now; the test is valid either way
		wake(kq)
		select {
		case <-got:
		case <-time.After(patience):
			t.Fatalf("%s did not wake Kevent", name)
		}
	}
}

func TestTimeout(t *testing.T) {
	kq := newKqueue(t)
	start := time.Now()
	if k := <-waits(kq, &unix.Timespec{Nsec: 3e6}); k != (Kevent_t{}) {
		t.Errorf("%+v, want nothing", k)
	}
	if passed := time.Since(start); passed < 3*time.Millisecond {
		t.Errorf("after %v, want 3 ms", passed)
	}
	for _, bad := range []unix.Timespec{{Sec: -1}, {Nsec: -1}, {Nsec: 1e9}} {
		if _, err := Kevent(kq, nil, make([]Kevent_t, 1), &bad); err != unix.EINVAL {
			t.Errorf("timeout %+v: %v, want EINVAL", bad, err)
		}
	}
}

func TestLongTimeoutsFailOnDarwinOnly(t *testing.T) {
	kq := newKqueue(t)
	a, _ := pair(t)
	apply(t, kq, change(a, EVFILT_WRITE, EV_ADD))
	for name, want := range map[string]error{"darwin": unix.EINVAL, "freebsd": nil} {
		as(t, name)
		if _, err := Kevent(kq, nil, make([]Kevent_t, 1), &unix.Timespec{Sec: mostSeconds + 1}); err != want {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

// Only a call that would block is interrupted.
func TestBlockingWaitsAreInterrupted(t *testing.T) {
	kq := newKqueue(t)
	interrupted := 0
	for range 4 * interruptEvery {
		_, err := Kevent(kq, nil, make([]Kevent_t, 1), &unix.Timespec{Nsec: 1e6})
		if err == unix.EINTR {
			interrupted++
		} else {
			must(t, err)
		}
	}
	if interrupted == 0 {
		t.Error("no wait was interrupted")
	}
	a, _ := pair(t)
	apply(t, kq, change(a, EVFILT_WRITE, EV_ADD))
	for range 2 * interruptEvery {
		one := make([]Kevent_t, 1)
		n, err := Kevent(kq, nil, one, nil)
		if n != 1 || err != nil {
			t.Fatalf("%d, %v, want the active event", n, err)
		}
	}
}

func TestSignalInterrupts(t *testing.T) {
	kq := newKqueue(t)
	thread := make(chan int, 1)
	got := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		thread <- unix.Gettid()
		_, err := Kevent(kq, nil, make([]Kevent_t, 1), nil)
		got <- err
	}()
	for id := <-thread; ; {
		// The runtime uses SIGURG itself and ignores unexpected ones.
		must(t, unix.Tgkill(unix.Getpid(), id, unix.SIGURG))
		select {
		case err := <-got:
			if err != unix.EINTR {
				t.Errorf("%v, want EINTR", err)
			}
			return
		case <-time.After(time.Millisecond):
		}
	}
}

func TestCloseReleasesEverything(t *testing.T) {
	before := openDescriptors()
	for range 3 {
		kq, err := Kqueue()
		must(t, err)
		must(t, Close(kq))
		if _, err := Kevent(kq, nil, nil, nil); err != unix.EBADF {
			t.Errorf("Kevent after Close: %v, want EBADF", err)
		}
	}
	if after := openDescriptors(); after != before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

func openDescriptors() (n int) {
	for fd := range uintptr(256) {
		if _, err := unix.FcntlInt(fd, unix.F_GETFD, 0); err == nil {
			n++
		}
	}
	return n
}
