package loop

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A peer that vanishes without a FIN acknowledges nothing: the kernel ends such a
// connection soon after the write timeout, although our own queue is empty.
func TestAcceptedConnectionsEndWhenNothingIsAcknowledged(t *testing.T) {
	r := newRig(t)
	r.settings.WriteTimeout = 7 * time.Second
	_, addr := r.listen("tcp4", "127.0.0.1:0", hello{})
	client := dial(t, addr)
	r.until("the client is greeted", client.has("hello"))
	fd := int(r.loop.allConns()[0].fd)
	if ms, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT); err != nil || ms != 8000 {
		t.Errorf("TCP_USER_TIMEOUT is %d, %v, want 8000", ms, err)
	}
}
