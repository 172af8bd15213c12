package http1_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/httpparse"
)

const postChunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

// limitCases says for each limit how to make a request that takes exactly n of it.
var limitCases = []struct {
	name    string
	limit   int
	status  int
	options http1.Options
	request func(n int) string
}{
	{"Limits.RequestLine", 100, 414, http1.Options{Limits: httpparse.Limits{RequestLine: 100}}, func(n int) string {
		return get("/" + strings.Repeat("a", n-len("GET / HTTP/1.1")))
	}},
	{"Limits.Method", 10, 501, http1.Options{Limits: httpparse.Limits{Method: 10}}, func(n int) string {
		return strings.Repeat("M", n) + " / HTTP/1.1\r\nHost: a\r\n\r\n"
	}},
	{"Limits.Field", 50, 431, http1.Options{Limits: httpparse.Limits{Field: 50}}, func(n int) string {
		return "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("a", n-len("X: ")) + "\r\n\r\n"
	}},
	{"Limits.Field, name", 50, 431, http1.Options{Limits: httpparse.Limits{Field: 50}}, func(n int) string {
		return "GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X", n-len(":")) + ":\r\n\r\n"
	}},
	{"Limits.Fields", 5, 431, http1.Options{Limits: httpparse.Limits{Fields: 5}}, func(n int) string {
		return "GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X: 1\r\n", n-1) + "\r\n"
	}},
	{"Limits.Head", 200, 431, http1.Options{Limits: httpparse.Limits{Head: 200}}, func(n int) string {
		frame := "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n"
		return strings.Replace(frame, "X: ", "X: "+strings.Repeat("a", n-len(frame)), 1)
	}},
	{"Limits.EmptyLines", 2, 400, http1.Options{Limits: httpparse.Limits{EmptyLines: 2}}, func(n int) string {
		return strings.Repeat("\r\n", n) + get("/")
	}},
	{"MaxBodyBytes, announced", 10, 413, http1.Options{MaxBodyBytes: 10}, func(n int) string {
		return fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", n, strings.Repeat("x", n))
	}},
	{"MaxBodyBytes, one chunk", 10, 413, http1.Options{MaxBodyBytes: 10}, func(n int) string {
		return postChunked + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", n, strings.Repeat("x", n))
	}},
	{"MaxBodyBytes, many chunks", 10, 413, http1.Options{MaxBodyBytes: 10}, func(n int) string {
		return postChunked + strings.Repeat("1\r\nx\r\n", n) + "0\r\n\r\n"
	}},
	{"Limits.Extension", 20, 400, http1.Options{Limits: httpparse.Limits{Extension: 20}}, func(n int) string {
		return postChunked + "1;" + strings.Repeat("a", n-len(";")) + "\r\nx\r\n0\r\n\r\n"
	}},
	// The size line costs its bytes, less a fair share of 16 and one for each byte of data.
	{"Limits.Overhead", 100, 400, http1.Options{Limits: httpparse.Limits{Overhead: 100, Extension: 1000}}, func(n int) string {
		return postChunked + "1;" + strings.Repeat("a", n+16+1-len("1;\r\n")) + "\r\nx\r\n0\r\n\r\n"
	}},
	{"Limits.Trailer", 50, 431, http1.Options{Limits: httpparse.Limits{Trailer: 50}}, func(n int) string {
		return postChunked + "0\r\nX: " + strings.Repeat("a", n-len("X: \r\n\r\n")) + "\r\n\r\n"
	}},
	{"Limits.TrailerFields", 3, 431, http1.Options{Limits: httpparse.Limits{TrailerFields: 3}}, func(n int) string {
		return postChunked + "0\r\n" + strings.Repeat("X: 1\r\n", n) + "\r\n"
	}},
}

func TestLimits(t *testing.T) {
	for _, c := range limitCases {
		t.Run(c.name, func(t *testing.T) {
			s := inMemory(t, describe, c.options)
			for n := c.limit - 1; n <= c.limit+1; n++ {
				r := &row{sent: c.request(n), statuses: []int{c.status}, closes: true, refused: true}
				if n <= c.limit {
					s.passes(r.sent)
					continue
				}
				for _, cut := range []cutter{
					func(left int) int { return left },
					func(int) int { return 1 },
					func(left int) int { return (left + 1) / 2 },
				} {
					if err := s.exchange(r, cut); err != nil {
						t.Errorf("%d, one above the limit: %v", n, err)
					}
				}
			}
		})
	}
}

// passes expects that a request is answered with 200, and that the connection persists.
func (s *server) passes(request string) {
	s.t.Helper()
	c := s.dial()
	c.send(request)
	method, _, _ := strings.Cut(strings.TrimLeft(request, "\r\n"), " ")
	expect(s.t, "status", c.answer(method).status, 200)
	c.send(after)
	expect(s.t, "status behind it", c.answer("GET").status, 200)
}

// TestBodyLimit: rule 90, with the limit as it is by default.
func TestBodyLimit(t *testing.T) {
	s := inMemory(t, func(w *http1.Response, r *http1.Request) { fmt.Fprint(w, len(r.Body())) }, http1.Options{})
	chunk := "100000\r\n" + strings.Repeat("x", 1<<20) + "\r\n"
	c := s.dial()
	c.send(postChunked + strings.Repeat(chunk, 4) + "0\r\n\r\n")
	expect(t, "body of 4 MiB", string(c.answer("POST").body), "4194304")

	c.send(postChunked + strings.Repeat(chunk, 4) + "1\r\nx\r\n")
	expect(t, "status of one byte more", c.answer("POST").status, 413)
	c.closed()
}

// TestAnnouncedBodyIsRefusedAtOnce: rules 59 and 90: without a byte of it.
func TestAnnouncedBodyIsRefusedAtOnce(t *testing.T) {
	s := inMemory(t, describe, http1.Options{MaxBodyBytes: 10})
	for _, request := range []string{
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n",
		postChunked + "b\r\n",
		postChunked + "4\r\nabcd\r\n7\r\n",
		postChunked + "4\r\nabcd\r\n7fffffffffffffff\r\n",
	} {
		c := s.dial()
		c.send(request)
		expect(t, "status", c.answer("POST").status, 413)
		c.closed()
	}
}
