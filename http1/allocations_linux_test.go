package http1_test

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

// A few allocations of the runtime's own are let pass: a new thread for a blocked
// system call, a timer of the scavenger. One for every request would be thousands.
const runtimesOwn = 60

// TestNoAllocationPerRequest counts the allocations of the whole process while a
// client that makes none itself sends requests over the loopback.
func TestNoAllocationPerRequest(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector has sync.Pool drop buffers at random")
	}
	post := "POST /submit?x=1 HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
	s := serveWith(t, func(w *http1.Response, r *http1.Request) {
		w.SetHeader("Content-Type", "text/plain")
		w.SetHeader("Cache-Control", "no-store")
		w.Write(r.Body())
		w.WriteString("Hello, World!")
	}, http1.Options{}, eddy.Options{Loops: 1})
	for _, c := range []struct {
		name    string
		request string
		answers int
	}{
		{"GET", get("/"), 1},
		{"GET like a browser", "GET /index.html?q=1 HTTP/1.1\r\nHost: example.org\r\nUser-Agent: Mozilla/5.0\r\nAccept: text/html,*/*\r\n" +
			"Accept-Language: en\r\nAccept-Encoding: gzip, br\r\nCookie: a=b; c=d\r\nConnection: keep-alive\r\n\r\n", 1},
		{"16 pipelined", strings.Repeat(get("/"), 16), 16},
		{"POST", post + "Content-Length: 100\r\n\r\n" + strings.Repeat("x", 100), 1},
		{"POST of 8 KiB", post + "Content-Length: 8192\r\n\r\n" + strings.Repeat("x", 8192), 1},
		{"chunked POST", post + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nT: 1\r\n\r\n", 1},
		{"HTTP/1.0", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := s.dialRaw(t)
			defer unix.Close(r.fd)
			r.learn(t, c.request, c.answers)
			const times = 3000
			if n := mallocs(func() { r.repeat(times) }); n > runtimesOwn {
				t.Errorf("%d allocations in %d rounds of %d requests", n, times, c.answers)
			}
			if r.err != nil {
				t.Error(r.err)
			}
		})
	}
}

// TestNoAllocationForARequestInTwoPieces: the first is kept in a pooled buffer.
func TestNoAllocationForARequestInTwoPieces(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector has sync.Pool drop buffers at random")
	}
	s := serveWith(t, echoBody, http1.Options{}, eddy.Options{Loops: 1})
	for _, pieces := range [][2]string{
		{"GET / HTTP/1.1\r\nHo", "st: a\r\n\r\n"},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello", "world"},
		{postChunked + "5\r\nhe", "llo\r\n0\r\n\r\n"},
	} {
		r := s.dialRaw(t)
		r.learn(t, pieces[0]+pieces[1], 1)
		r.request, r.rest = []byte(pieces[0]), []byte(pieces[1])
		r.repeat(100)
		if n := mallocs(func() { r.repeat(1000) }); n > runtimesOwn {
			t.Errorf("%d allocations in 1000 rounds of %q + %q", n, pieces[0], pieces[1])
		}
		if r.err != nil {
			t.Error(r.err)
		}
		unix.Close(r.fd)
	}
}

// TestFewAllocationsForAnAnswerFromElsewhere: the Deferred, its task, and the function of the
// program.
func TestFewAllocationsForAnAnswerFromElsewhere(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector has sync.Pool drop buffers at random")
	}
	pool := http1.NewPool(4, 4)
	t.Cleanup(pool.Close)
	answer := func(w *http1.Response, _ *http1.Request) {
		w.SetHeader("Content-Type", "text/plain")
		w.WriteString("Hello, World!")
	}
	for name, h := range map[string]http1.Handler{
		"Defer": func(w *http1.Response, r *http1.Request) {
			d := w.Defer()
			d.Respond(func(w *http1.Response) { answer(w, r) })
		},
		"Blocking": http1.Blocking(answer, pool),
	} {
		t.Run(name, func(t *testing.T) {
			s := serveWith(t, h, http1.Options{}, eddy.Options{Loops: 1})
			r := s.dialRaw(t)
			defer unix.Close(r.fd)
			r.learn(t, get("/"), 1)
			const times = 3000
			if n := mallocs(func() { r.repeat(times) }); n > 3*times+runtimesOwn {
				t.Errorf("%d allocations for %d requests", n, times)
			}
			if r.err != nil {
				t.Error(r.err)
			}
		})
	}
}

// mallocs is the number of allocations of all goroutines during fn, without the
// garbage collector, which empties the pools.
func mallocs(fn func()) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}

// rawClient allocates nothing: it has a blocking socket, and knows how many bytes
// come back.
type rawClient struct {
	fd      int
	request []byte
	rest    []byte // sent by itself behind request
	in      []byte
	want    int
	err     error
}

func (s *server) dialRaw(t *testing.T) *rawClient {
	conn, err := s.connect()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	file, err := conn.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fd, err := unix.Dup(int(file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(fd, false); err != nil {
		t.Fatal(err)
	}
	timeout := unix.NsecToTimeval(patience.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		t.Fatal(err)
	}
	return &rawClient{fd: fd, in: make([]byte, 64<<10)}
}

// learn sends the request until everything is warm, and finds out how long the
// answers are.
func (r *rawClient) learn(t *testing.T, request string, answers int) {
	r.request = []byte(request)
	if err := r.write(r.request); err != nil {
		t.Fatal(err)
	}
	end := []byte("HTTP/1.1 200 OK\r\n")
	for r.want = 0; bytes.Count(r.in[:r.want], end) < answers || !answersEnd(r.in[:r.want]); {
		n, err := r.read(r.in[r.want:])
		if err != nil {
			t.Fatalf("answers to %q: %v behind %q", request, err, r.in[:r.want])
		}
		r.want += n
	}
	r.repeat(500)
	if r.err != nil {
		t.Fatal(r.err)
	}
}

// answersEnd says whether in ends with a whole answer: the last one's length is in its
// head.
func answersEnd(in []byte) bool {
	last := in[bytes.LastIndex(in, []byte("HTTP/1.1 ")):]
	head, body, ok := bytes.Cut(last, []byte("\r\n\r\n"))
	_, field, found := bytes.Cut(head, []byte("Content-Length: "))
	if !ok || !found {
		return false
	}
	length := 0
	for _, c := range field {
		if c < '0' || c > '9' {
			break
		}
		length = length*10 + int(c-'0')
	}
	return len(body) == length
}

// repeat sends the request so many times, and reads what comes back.
func (r *rawClient) repeat(times int) {
	for range times {
		if r.err = r.write(r.request); r.err != nil {
			return
		}
		if len(r.rest) > 0 {
			for range 4 {
				runtime.Gosched() // the server reads the first piece by itself, mostly
			}
			if r.err = r.write(r.rest); r.err != nil {
				return
			}
		}
		for got := 0; got < r.want; {
			n, err := r.read(r.in)
			if err != nil {
				r.err = err
				return
			}
			got += n
		}
	}
}

// write sends p in one piece.
func (r *rawClient) write(p []byte) error {
	for {
		n, err := unix.Write(r.fd, p)
		switch {
		case err == unix.EINTR: // the runtime preempts with signals
		case err == nil && n < len(p):
			return io.ErrShortWrite
		default:
			return err
		}
	}
}

func (r *rawClient) read(p []byte) (int, error) {
	for {
		n, err := unix.Read(r.fd, p)
		switch {
		case err == unix.EINTR: // the same
		case err == nil && n == 0:
			return 0, io.ErrUnexpectedEOF
		default:
			return n, err
		}
	}
}
