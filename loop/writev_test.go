package loop

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/internal/sockets"
)

// A socket of datagrams keeps the bounds of writes.
func TestSlicesLeaveInOneWrite(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := adoptSocket(t, fds[0]), adoptSocket(t, fds[1])
	slices := bytes.SplitAfter([]byte("head,and,body,in,parts,up,to,eight"), []byte(","))
	want := bytes.Join(slices, nil)
	if n, errno := sockets.Writev(ours.fd, slices); n != len(want) || errno != 0 {
		t.Fatalf("writev: %d, %v, want %d", n, errno, len(want))
	}
	got := make([]byte, 100)
	if n, errno := sockets.Read(theirs.fd, got); errno != 0 || !bytes.Equal(got[:n], want) {
		t.Errorf("the first write: %q, %v, want %q", got[:n], errno, want)
	}
}

func TestWriteOfAsManySlicesAsThereMayBe(t *testing.T) {
	ours, theirs := newUnixPair(t)
	var slices [][]byte
	for i := range sockets.MaxSlices {
		slices = append(slices, bytes.Repeat([]byte{byte(i)}, i+1))
	}
	want := bytes.Join(slices, nil)
	got := make([]byte, len(want))
	allocations := testing.AllocsPerRun(10, func() {
		clear(got)
		if n, errno := sockets.Writev(ours.fd, slices); n != len(want) || errno != 0 {
			t.Fatalf("writev: %d, %v, want %d", n, errno, len(want))
		}
		if n, errno := sockets.Read(theirs.fd, got); errno != 0 || !bytes.Equal(got[:n], want) {
			t.Fatalf("read %d bytes, %v, want those that were written", n, errno)
		}
	})
	if allocations != 0 {
		t.Errorf("%v allocations, want none", allocations)
	}
}

// What fits is written, and counted, wherever the socket is full.
func TestSlicesThatDoNotFit(t *testing.T) {
	ours, theirs := newUnixPair(t)
	slices := make([][]byte, sockets.MaxSlices)
	for i := range slices {
		slices[i] = bytes.Repeat([]byte{byte(i)}, 64<<10)
	}
	want := bytes.Join(slices, nil)
	n, errno := sockets.Writev(ours.fd, slices)
	if errno != 0 || n == 0 || n >= len(want) {
		t.Fatalf("writev: %d of %d, %v, want a part", n, len(want), errno)
	}
	if n, errno := sockets.Writev(ours.fd, slices); n != 0 || errno != unix.EAGAIN {
		t.Errorf("writev to a full socket: %d, %v, want EAGAIN", n, errno)
	}
	got := make([]byte, len(want))
	arrived := 0
	for {
		m, errno := sockets.Read(theirs.fd, got[arrived:])
		if errno != 0 || m == 0 {
			break
		}
		arrived += m
	}
	if arrived != n || !bytes.Equal(got[:n], want[:n]) {
		t.Errorf("%d bytes arrived, want the %d that were written", arrived, n)
	}
}
