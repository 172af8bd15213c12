package loop

import (
	"testing"

	"golang.org/x/sys/unix"
)

// The last bytes and the FIN arrive in one segment (MSG_MORE), after Close and CloseWrite.
func TestLastBytesLeaveWithTheFIN(t *testing.T) {
	if *layered {
		t.Skip("a layer may have something to say in between")
	}
	for name, end := range map[string]func(*Conn){"Close": (*Conn).Close, "CloseWrite": (*Conn).CloseWrite} {
		r := newRig(t)
		c, peer := r.open(tcpPair, &script{})
		before, err := unix.GetsockoptTCPInfo(peer.fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.loop.Post(func() {
			_, _ = c.WriteString("bye")
			end(c)
		}); err != nil {
			t.Fatal(err)
		}
		r.until("the peer has read all", peer.all)
		after, err := unix.GetsockoptTCPInfo(peer.fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			t.Fatal(err)
		}
		if n := after.Segs_in - before.Segs_in; n != 1 || string(peer.got) != "bye" {
			t.Errorf("%s: %q in %d segments, want one", name, string(peer.got), n)
		}
	}
}
