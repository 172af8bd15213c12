package http1_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"testing"

	"github.com/eddynet/eddy/http1"
)

// TestLargeBodiesArriveWhole, pipelined, whatever their size and framing, with a small
// request behind each.
func TestLargeBodiesArriveWhole(t *testing.T) {
	sizes := []int{16 << 10, 16<<10 + 1, 64<<10 - 60, 64 << 10, 64<<10 + 1, 200_000, 1 << 20, 3_000_000, 4 << 20}
	s := serve(t, func(w *http1.Response, r *http1.Request) {
		fmt.Fprintf(w, "%d %x", len(r.Body()), sha256Of(r.Body()))
	}, http1.Options{})
	for _, piece := range []int{7001, 5 << 20} {
		c := s.dial()
		go func() {
			for _, size := range sizes {
				post(t, c.conn, pattern(size), piece)
				fmt.Fprint(c.conn, get("/"))
				fmt.Fprintf(c.conn, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", size, pattern(size))
			}
		}()
		for _, size := range sizes {
			want := fmt.Sprintf("%d %x", size, sha256Of(pattern(size)))
			expect(t, "with a length", string(c.answer("POST").body), want)
			expect(t, "behind it", string(c.answer("GET").body), fmt.Sprintf("0 %x", sha256Of(nil)))
			expect(t, "chunked", string(c.answer("POST").body), want)
		}
	}
}

// TestLargeBodyIsReadAwayAfterAnEarlyAnswer, in the middle of it.
func TestLargeBodyIsReadAwayAfterAnEarlyAnswer(t *testing.T) {
	const size = 200_000
	s := serve(t, write("ok"), http1.Options{OnHead: func(w *http1.Response, r *http1.Request) {
		if string(r.Path()) == "/early" {
			d := w.Defer()
			w.Loop().After(5e6, func() { d.Respond(func(w *http1.Response) { w.WriteString("early") }) })
		}
	}})
	c := s.dial()
	body := string(pattern(size))
	c.send(fmt.Sprintf("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", size, body[:size/2]))
	expect(t, "answer", string(c.answer("POST").body), "early")
	c.send(body[size/2:] + get("/"))
	expect(t, "the next answer", string(c.answer("GET").body), "ok")
}

func sha256Of(p []byte) []byte {
	sum := sha256.Sum256(p)
	return sum[:]
}

// post sends the head and the body of a request, piece by piece.
func post(t testing.TB, conn io.Writer, body []byte, piece int) {
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", len(body))
	for len(body) > 0 {
		n, err := conn.Write(body[:min(piece, len(body))])
		if err != nil {
			t.Error(err)
			return
		}
		body = body[n:]
	}
}
