package http1_test

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/http1"
)

// segments is how many segments with data have come in.
func (c *client) segments() uint32 {
	c.t.Helper()
	raw, err := c.socket().SyscallConn()
	if err != nil {
		c.t.Fatal(err)
	}
	var info *unix.TCPInfo
	if e := raw.Control(func(fd uintptr) {
		info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	}); e != nil || err != nil {
		c.t.Fatal(e, err)
	}
	return info.Data_segs_in
}

// TestPipelinedAnswersLeaveTogether: requests that came in one segment are answered
// in one, which the loopback does not cut below 64 KiB.
func TestPipelinedAnswersLeaveTogether(t *testing.T) {
	s := serve(t, func(w *http1.Response, _ *http1.Request) {
		w.SetHeader("X", "1")
		w.WriteString("hello")
	}, http1.Options{})
	c := s.dial()
	for _, n := range []int{1, 16, 100} {
		before := c.segments()
		c.send(strings.Repeat(get("/"), n))
		for range n {
			expect(t, "status", c.answer("GET").status, 200)
		}
		expect(t, "segments", c.segments()-before, 1)
	}
}

// TestHeadAndBodyLeaveTogether, also where the body is not copied behind the head. The
// kernel itself cuts above half of a new connection's window, 32 KiB.
func TestHeadAndBodyLeaveTogether(t *testing.T) {
	body := make([]byte, 20<<10)
	s := serve(t, func(w *http1.Response, _ *http1.Request) { w.Write(body) }, http1.Options{})
	c := s.dial()
	before := c.segments()
	c.send(get("/"))
	expect(t, "length", len(c.answer("GET").body), len(body))
	expect(t, "segments", c.segments()-before, 1)
}
