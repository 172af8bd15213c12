package nethttp_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/eddynet/eddy/http1"
)

// post sends the head and the body of a request, piece by piece.
func post(t testing.TB, conn net.Conn, body []byte, piece int) {
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

// TestReadLeavesTheSliceAlone: reads that end by a deadline lose nothing, and
// nothing is put into their slice after they have returned.
func TestReadLeavesTheSliceAlone(t *testing.T) {
	data := pattern(8 << 20)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		poison := bytes.Repeat([]byte{0xa5}, 100_000)
		p, sum, late, spoilt := make([]byte, len(poison)), sha256.New(), 0, 0
		for {
			c.SetReadDeadline(time.Now().Add(50 * time.Microsecond))
			n, err := r.Body.Read(p)
			sum.Write(p[:n])
			copy(p, poison)
			time.Sleep(20 * time.Microsecond)
			if !bytes.Equal(p, poison) {
				spoilt++
			}
			if errors.Is(err, os.ErrDeadlineExceeded) {
				late++
				continue
			}
			if err != nil {
				fmt.Fprint(w, err, spoilt, bytes.Equal(sum.Sum(nil), sha256Of(data)))
				return
			}
		}
	})
	s := serveHandler(t, h, http1.Options{})
	conn, r := dialBoth(t, s.addr)
	go post(t, conn, data, 30_000)
	a, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := io.ReadAll(a.Body)
	expect(t, "answer", string(got), "EOF 0 true")
}

func sha256Of(p []byte) []byte {
	sum := sha256.Sum256(p)
	return sum[:]
}

// TestReadersShareABody: each byte comes to one of them.
func TestReadersShareABody(t *testing.T) {
	const size = 4 << 20
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var all sync.WaitGroup
		var counts [4][256]int
		for i := range counts {
			all.Go(func() {
				p := make([]byte, 20_000*(i+1))
				for {
					n, err := r.Body.Read(p)
					for _, b := range p[:n] {
						counts[i][b]++
					}
					if err != nil {
						return
					}
				}
			})
		}
		all.Wait()
		var total [256]int
		for i := range counts {
			for b, n := range counts[i] {
				total[b] += n
			}
		}
		fmt.Fprint(w, total)
	})
	s := serveHandler(t, h, http1.Options{})
	conn, r := dialBoth(t, s.addr)
	data := pattern(size)
	go post(t, conn, data, 50_000)
	a, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	var want [256]int
	for _, b := range data {
		want[b]++
	}
	got, _ := io.ReadAll(a.Body)
	expect(t, "counts", string(got), fmt.Sprint(want))
}

// TestCopiesABody to a writer, piece by piece, beginning in the middle of it.
func TestCopiesABody(t *testing.T) {
	data := pattern(4<<20 + 1)
	failure := errors.New("on purpose")
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n, err := r.Body.Read(nil); n != 0 || err != nil {
			t.Error(n, err)
		}
		n, err := io.Copy(writerFunc(func(p []byte) (int, error) { return len(p) / 2, nil }), r.Body)
		fmt.Fprintln(w, n > 0, err)
		n, err = io.Copy(writerFunc(func(p []byte) (int, error) { return 0, failure }), r.Body)
		fmt.Fprintln(w, n, err)
		n, err = io.Copy(io.Discard, r.Body)
		fmt.Fprintln(w, n > 0, err)
		n, err = io.Copy(io.Discard, r.Body)
		fmt.Fprintln(w, n, err)
	})
	whole := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/broken" {
			h(w, r)
			return
		}
		sum := sha256.New()
		io.CopyN(sum, r.Body, 1000)
		n, err := io.Copy(sum, r.Body)
		fmt.Fprintf(w, "%d %v %x", n, err, sum.Sum(nil))
	})
	s := serveHandler(t, whole, http1.Options{})
	for path, want := range map[string]string{
		"/":       fmt.Sprintf("%d <nil> %x", len(data)-1000, sha256Of(data)),
		"/broken": "true short write\n0 on purpose\ntrue <nil>\n0 <nil>\n",
	} {
		conn, r := dialBoth(t, s.addr)
		go func() {
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", path, len(data))
			conn.Write(data)
		}()
		a, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(a.Body)
		expect(t, path, string(got), want)
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestBodyIsClosedUnderItsReader, who is told, and the connection goes on.
func TestBodyIsClosedUnderItsReader(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.AfterFunc(5*time.Millisecond, func() { r.Body.Close() })
		_, err := io.ReadFull(r.Body, make([]byte, r.ContentLength))
		fmt.Fprint(w, err)
	})
	s := serveHandler(t, h, http1.Options{})
	conn, r := dialBoth(t, s.addr)
	for range 2 {
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n%s", pattern(50_000))
		a, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(a.Body)
		expect(t, "answer", string(got), http.ErrBodyReadAfterClose.Error())
		conn.Write(pattern(50_000))
	}
}

// TestLargeWritesMayChangeAfterwards: what a handler writes is its own again when
// Write has returned, with and without a length, and to a client that reads late.
func TestLargeWritesMayChangeAfterwards(t *testing.T) {
	const writes = 8
	data := pattern(writes * 700_000)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/length" {
			w.Header().Set("Content-Length", fmt.Sprint(len(data)+writes))
		}
		p := make([]byte, len(data)/writes)
		for i := range writes {
			copy(p, data[i*len(p):])
			if n, err := w.Write(p); n != len(p) || err != nil {
				t.Error(n, err)
			}
			clear(p)
			fmt.Fprint(w, i) // a small one between them
		}
	})
	var want []byte
	for i := range writes {
		want = append(want, data[i*700_000:(i+1)*700_000]...)
		want = append(want, byte('0'+i))
	}
	onBoth(t, h, func(t *testing.T, addr string) {
		conn, r := dialBoth(t, addr)
		for _, path := range []string{"/length", "/chunked"} {
			for _, method := range []string{"GET", "HEAD"} {
				io.WriteString(conn, method+" "+path+" HTTP/1.1\r\nHost: a\r\n\r\n")
				time.Sleep(5 * time.Millisecond) // the handler runs into the marks
				a, err := http.ReadResponse(r, &http.Request{Method: method})
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(a.Body)
				if err != nil || method == "GET" && !bytes.Equal(got, want) {
					t.Errorf("%s %s: %d bytes, %v", method, path, len(got), err)
				}
			}
		}
	})
}

// TestLargeWriteEndsWithTheConnection, and with its deadline.
func TestLargeWriteEndsWithTheConnection(t *testing.T) {
	for _, end := range []string{"client", "deadline", "timeout"} {
		t.Run(end, func(t *testing.T) {
			failed := make(chan error, 1)
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if end == "deadline" {
					http.NewResponseController(w).SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
				}
				p := make([]byte, 64<<20) // more than the kernel takes
				var err error
				for err == nil {
					_, err = w.Write(p)
				}
				failed <- err
			})
			o := http1.Options{}
			if end == "timeout" {
				o.WriteTimeout = 50 * time.Millisecond
			}
			s := serveHandler(t, h, o)
			conn, _ := dialBoth(t, s.addr)
			io.WriteString(conn, get("/"))
			if end == "client" {
				io.ReadFull(conn, make([]byte, 1000))
				conn.Close()
			}
			await(t, "the end of the write", failed)
		})
	}
}

// TestLargeWriteEndsWithTheEngine, which is told to stop at once.
func TestLargeWriteEndsWithTheEngine(t *testing.T) {
	begun, failed := make(chan bool, 1), make(chan error, 1)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- true
		var err error
		for p := make([]byte, 64<<20); err == nil; {
			_, err = w.Write(p)
		}
		failed <- err
	})
	s := serveHandler(t, h, http1.Options{WriteTimeout: 100 * time.Millisecond})
	conn, _ := dialBoth(t, s.addr)
	io.WriteString(conn, get("/"))
	await(t, "the handler", begun)
	s.stop()
	await(t, "the end of the write", failed)
}

// While the body waits for its handler, the deadline is the handler's, not that of the
// body.
func TestSlowReaderIsNotTheClientsFault(t *testing.T) {
	for _, stream := range []bool{false, true} {
		t.Run(fmt.Sprint("stream ", stream), func(t *testing.T) {
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if stream {
					w.WriteHeader(200)
					w.(http.Flusher).Flush()
				}
				time.Sleep(600 * time.Millisecond) // busy with something else
				n, err := io.Copy(io.Discard, r.Body)
				fmt.Fprint(w, n, " ", err)
			})
			s := serveHandler(t, h, http1.Options{MinBodyRate: 1 << 20, ReadTimeout: 200 * time.Millisecond, HandlerTimeout: 10 * time.Second})
			conn, r := dialBoth(t, s.addr)
			data := pattern(8 << 20)
			go func() {
				fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", len(data))
				conn.Write(data)
			}()
			a, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(a.Body)
			expect(t, "answer", fmt.Sprint(a.StatusCode, " ", string(got), " ", err), fmt.Sprint("200 ", len(data), " <nil> <nil>"))
		})
	}
}
