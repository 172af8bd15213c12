package loop

import (
	"testing"

	"golang.org/x/sys/unix"
)

// What a read or a write costs when it is one call away, and through the loop's calls.
func BenchmarkReadAndWrite(b *testing.B) {
	l, p := &Loop{calls: systemCalls()}, make([]byte, 1)
	for name, call := range map[string]struct {
		read, write func(fd int) unix.Errno
	}{
		"direct": {
			read:  func(fd int) unix.Errno { _, errno := read(fd, p); return errno },
			write: func(fd int) unix.Errno { _, errno := write(fd, p[:0]); return errno },
		},
		"through calls": {
			read:  func(fd int) unix.Errno { _, errno := l.calls.read(fd, p); return errno },
			write: func(fd int) unix.Errno { _, errno := l.calls.write(fd, p[:0]); return errno },
		},
	} {
		b.Run(name, func(b *testing.B) {
			ours, _ := newUnixPair(b)
			b.ReportAllocs()
			for b.Loop() {
				if errno := call.read(ours.fd); errno != unix.EAGAIN {
					b.Fatal(errno)
				}
				if errno := call.write(ours.fd); errno != 0 {
					b.Fatal(errno)
				}
			}
		})
	}
}

func TestCallsDoNotAllocate(t *testing.T) {
	ours, theirs := newUnixPair(t)
	l := &Loop{calls: systemCalls(), slices: make([][]byte, 2)}
	p := make([]byte, 8)
	l.slices[0], l.slices[1] = p[:3], p[3:]
	if n := testing.AllocsPerRun(100, func() {
		_, _ = l.calls.write(ours.fd, p)
		_, _ = l.calls.writev(ours.fd, l.slices)
		_, _ = l.calls.read(theirs.fd, p)
		_, _ = l.calls.read(theirs.fd, p)
		_, _ = l.calls.read(theirs.fd, p) // EAGAIN
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
