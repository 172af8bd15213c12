package nethttp_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/nethttp"
)

// TestTellsThatTheClientIsGone: the context of a stream of events ends.
func TestTellsThatTheClientIsGone(t *testing.T) {
	for _, flushes := range []bool{true, false} {
		ended := make(chan error, 1)
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() { ended <- r.Context().Err() }()
			w.Header().Set("Content-Type", "text/event-stream")
			if !flushes {
				<-r.Context().Done()
				return
			}
			for n := 0; ; n++ {
				fmt.Fprintf(w, "data: %d\n\n", n)
				w.(http.Flusher).Flush()
				select {
				case <-r.Context().Done():
					return
				case <-time.After(time.Millisecond):
				}
			}
		})
		onBoth(t, h, func(t *testing.T, addr string) {
			conn, r := dialBoth(t, addr)
			io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			if flushes {
				a, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatal(err)
				}
				lines := bufio.NewReader(a.Body)
				for n := range 3 {
					line, _ := lines.ReadString('\n')
					expect(t, "event", line, fmt.Sprintf("data: %d\n", n))
					lines.ReadString('\n')
				}
			} else {
				time.Sleep(10 * time.Millisecond)
			}
			conn.Close()
			expect(t, "the context's error", await(t, "the end of the handler", ended), context.Canceled)
		})
	}
}

// TestContextEndsWithTheHandler, and with it what was derived from it.
func TestContextEndsWithTheHandler(t *testing.T) {
	contexts := make(chan context.Context, 4) // two of /alive
	type key struct{}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(context.WithValue(r.Context(), key{}, 1), time.Hour)
		context.AfterFunc(ctx, cancel)
		if r.Context().Err() != nil || ctx.Value(key{}) != 1 {
			panic("ended early, or without its value")
		}
		contexts <- r.Context()
		contexts <- ctx
		if r.URL.Path == "/flush" {
			w.(http.Flusher).Flush()
			time.Sleep(10 * time.Millisecond)
			if r.Context().Err() != nil {
				panic("ended with the head")
			}
			io.WriteString(w, "done")
		}
	})
	onBoth(t, h, func(t *testing.T, addr string) {
		for _, path := range []string{"/", "/flush"} {
			a := converse(t, addr, to("GET", path))
			if !strings.HasPrefix(a, "200") || path == "/flush" && !strings.Contains(a, "done") {
				t.Error(a)
			}
			for range 2 {
				ctx := await(t, "a context", contexts)
				await(t, "its end", ctx.Done())
				expect(t, "its error", ctx.Err(), context.Canceled)
				if cause := context.Cause(ctx); cause != context.Canceled {
					t.Errorf("its cause: %v", cause)
				}
			}
			for len(contexts) > 0 { // of /alive
				<-contexts
			}
		}
	})
}

// TestHijack: the connection is the handler's, with what was sent behind the
// request.
func TestHijack(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/switch" {
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "lines")
			w.WriteHeader(101)
		}
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		if _, err := w.Write([]byte("x")); err != http.ErrHijacked {
			panic(fmt.Sprint("write after Hijack: ", err))
		}
		if r.URL.Path != "/switch" {
			io.WriteString(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: lines\r\n\r\n")
		}
		for {
			line, err := rw.ReadString('\n')
			if err != nil {
				return
			}
			io.WriteString(rw, strings.ToUpper(line))
			rw.Flush()
		}
	})
	onBoth(t, h, func(t *testing.T, addr string) {
		for _, path := range []string{"/", "/switch"} {
			conn, r := dialBoth(t, addr)
			io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: lines\r\n\r\nearly\n")
			head := ""
			for !strings.HasSuffix(head, "\r\n\r\n") {
				line, err := r.ReadString('\n')
				if err != nil {
					t.Fatal(err)
				}
				head += line
			}
			if !strings.HasPrefix(head, "HTTP/1.1 101 ") || !strings.Contains(head, "Upgrade: lines\r\n") ||
				strings.Contains(head, "close") {
				t.Errorf("head %q", head)
			}
			line, err := r.ReadString('\n')
			expect(t, "echo of what came with the request", line, "EARLY\n")
			expect(t, "error", err, nil)
			io.WriteString(conn, "late\n")
			line, _ = r.ReadString('\n')
			expect(t, "echo", line, "LATE\n")
			conn.(*net.TCPConn).CloseWrite()
			if _, err := r.ReadByte(); err != io.EOF {
				t.Errorf("the end: %v", err)
			}
		}
	})
}

// TestPipelining keeps answers in order, whatever their handlers take.
func TestPipelining(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "0") {
			time.Sleep(5 * time.Millisecond)
		}
		if strings.HasSuffix(r.URL.Path, "5") {
			w.(http.Flusher).Flush()
		}
		io.WriteString(w, r.URL.Path)
	})
	onBoth(t, h, func(t *testing.T, addr string) {
		conn, r := dialBoth(t, addr)
		var sent strings.Builder
		for n := range 40 {
			sent.WriteString(get(fmt.Sprintf("/%d", n)))
		}
		io.WriteString(conn, sent.String())
		for n := range 40 {
			a, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := io.ReadAll(a.Body)
			expect(t, "answer", string(got), fmt.Sprintf("/%d", n))
		}
	})
}

// TestStreamEndsWithItsLastPiece: in one write, so that a client which looks for the
// end when it has what it wanted, finds it, and keeps the connection.
func TestStreamEndsWithItsLastPiece(t *testing.T) {
	proceed := make(chan bool)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-proceed
		io.WriteString(w, "last")
	})
	onBoth(t, h, func(t *testing.T, addr string) {
		conn, r := dialBoth(t, addr)
		for range 20 {
			io.WriteString(conn, get("/"))
			if _, err := http.ReadResponse(r, nil); err != nil {
				t.Fatal(err)
			}
			proceed <- true
			b := make([]byte, 100)
			n, err := conn.Read(b)
			expect(t, "error", err, nil)
			expect(t, "one read", string(b[:n]), "4\r\nlast\r\n0\r\n\r\n")
		}
	})
}

// TestWriteDeadline ends a handler whose client does not read.
func TestWriteDeadline(t *testing.T) {
	ended := make(chan error, 1)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			panic(err)
		}
		b := make([]byte, 1<<20)
		for {
			if _, err := w.Write(b); err != nil {
				ended <- err
				return
			}
		}
	})
	onBoth(t, h, func(t *testing.T, addr string) {
		conn, _ := dialBoth(t, addr)
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		await(t, "the end of the handler", ended)
	})
}

// TestTurnsAway what its pool has no goroutine for.
func TestTurnsAway(t *testing.T) {
	leave := make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stay" {
			<-leave
		}
	})
	pool := http1.NewPool(1, 0)
	t.Cleanup(pool.Close)
	a := nethttp.NewAdapter(h, pool)
	native := func(w *http1.Response, r *http1.Request) { w.WriteString("native") }
	s := serve(t)(http1.New(native, http1.Options{OnHead: func(w *http1.Response, r *http1.Request) {
		if string(r.Path()) != "/native" {
			a.OnHead(w, r)
		}
	}}))
	staying := s.dial()
	staying.send(get("/stay"))
	expect(t, "native answer", s.get("/native").body, "native")
	for { // until /stay has come through
		a := s.get("/")
		if a.status == 503 {
			expect(t, "Retry-After", a.header.Get("Retry-After"), "1")
			break
		}
		expect(t, "status", a.status, 200)
	}
	close(leave)
	expect(t, "status of /stay", staying.answer("GET").status, 200)
}

// TestLeavesNothingBehind: no goroutine, no open body, after clients that went
// at any time.
func TestLeavesNothingBehind(t *testing.T) {
	running := make(chan struct{}, 1000)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		running <- struct{}{}
		defer func() { <-running }()
		io.Copy(w, r.Body)
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 10000)); err != nil {
				return
			}
		}
	})
	s := serveHandler(t, h, http1.Options{})
	for n := range 50 {
		conn, _ := dialBoth(t, s.addr)
		request := "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789"
		io.WriteString(conn, request[:len(request)-n%15])
		if n%2 == 0 {
			time.Sleep(time.Millisecond)
		}
		conn.Close()
	}
	for deadline := time.Now().Add(patience); len(running) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d handlers still run", len(running))
		}
	}
}

// TestReportsPanics but not those that are meant to abort.
func TestReportsPanics(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/abort":
			panic(http.ErrAbortHandler)
		case "/goexit":
			runtime.Goexit()
		}
		panic("on purpose")
	})
	s := serveHandler(t, h, http1.Options{})
	for _, c := range []struct {
		path   string
		panics uint64
	}{{"/abort", 0}, {"/goexit", 0}, {"/", 1}} {
		conn := s.dial()
		conn.send(get(c.path))
		conn.closed()
		// The loop publishes its counts at the end of its cycle.
		for deadline := time.Now().Add(patience); s.engine.Stats().Panics < c.panics; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("no panic is counted")
			}
		}
		expect(t, "panics after "+c.path, s.engine.Stats().Panics, c.panics)
	}
}
