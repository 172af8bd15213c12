package nethttp_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/nethttp"
)

// A handler that ignores its context, and the error of Flush, learns by Write that its
// client has gone: for good.
func TestWriteFailsWhenTheClientHasGone(t *testing.T) {
	for name, piece := range map[string]string{"small": "tick\n", "large": strings.Repeat("x", 100<<10)} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan error, 2)
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				write := func() (err error) {
					for give := time.Now().Add(patience); err == nil && time.Now().Before(give); time.Sleep(time.Millisecond) {
						_, err = io.WriteString(w, piece)
						w.(http.Flusher).Flush()
					}
					return err
				}
				ended <- write()
				ended <- write() // at once
			})
			onBoth(t, h, func(t *testing.T, addr string) {
				conn, r := dialBoth(t, addr)
				io.WriteString(conn, get("/"))
				if _, err := http.ReadResponse(r, nil); err != nil {
					t.Fatal(err)
				}
				conn.Close()
				for range 2 {
					if err := await(t, "the end of writing", ended); err == nil {
						t.Error("Write never fails")
					}
				}
			})
		})
	}
}

// TestCloseNotify: the channel gets a value when the client goes, and none when the
// handler returns.
func TestCloseNotify(t *testing.T) {
	gone, kept := make(chan bool, 1), make(chan (<-chan bool), 2)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ch := w.(interface{ CloseNotify() <-chan bool }).CloseNotify()
		if r.URL.Path == "/stay" {
			kept <- ch
			return
		}
		gone <- <-ch
	})
	onBoth(t, h, func(t *testing.T, addr string) {
		conn, r := dialBoth(t, addr)
		io.WriteString(conn, get("/stay"))
		if _, err := http.ReadResponse(r, nil); err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, get("/stay")) // the first handler has returned
		if _, err := http.ReadResponse(r, nil); err != nil {
			t.Fatal(err)
		}
		select {
		case <-await(t, "the channel", kept):
			t.Error("the handler has returned, and the channel says that the client has gone")
		default:
		}
		<-kept
		io.WriteString(conn, get("/leave"))
		conn.Close()
		await(t, "the client's end", gone)
	})
}

// TestEarlyAnswerToAChunkedBody: what is going to be closed says so, and else the
// next request is answered.
func TestEarlyAnswerToAChunkedBody(t *testing.T) {
	begun := make(chan bool, 1)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		if r.Method == "POST" {
			begun <- true
		}
	})
	head := to("POST", "/", "Transfer-Encoding: chunked")
	for name, c := range map[string]struct {
		late string // what comes when the handler has returned, or is about to
		want bool
	}{
		"short": {"3\r\nabc\r\n0\r\n\r\n", false},
		"long":  {strings.Repeat("10000\r\n"+strings.Repeat("x", 1<<16)+"\r\n", 16) + "0\r\n\r\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, h, func(t *testing.T, addr string) {
				conn, r := dialBoth(t, addr)
				io.WriteString(conn, head)
				await(t, "the handler", begun)
				time.Sleep(20 * time.Millisecond)
				go io.WriteString(conn, c.late)
				a, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatal(err)
				}
				expect(t, "status", a.StatusCode, 204)
				expect(t, "Connection: close", a.Close, c.want)
				if !c.want {
					io.WriteString(conn, get("/"))
					if _, err := http.ReadResponse(r, nil); err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
}

// A client that waits for the answer before it ends its body is not left waiting.
func TestEarlyAnswerDoesNotWaitForALongBody(t *testing.T) {
	s := serveHandler(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), http1.Options{})
	conn, r := dialBoth(t, s.addr)
	io.WriteString(conn, to("POST", "/", "Transfer-Encoding: chunked")+"3\r\nabc\r\n")
	a, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "Connection: close", a.Close, true)
}

// TestStreamBeforeTheEndOfTheBody announces a close, unless the handler has said
// that it reads all of it.
func TestStreamBeforeTheEndOfTheBody(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if r.URL.Path == "/duplex" {
			c.EnableFullDuplex()
		}
		c.Flush()
		io.Copy(w, r.Body)
	})
	s := serveHandler(t, h, http1.Options{})
	for path, want := range map[string]bool{"/": true, "/duplex": false} {
		conn, r := dialBoth(t, s.addr)
		io.WriteString(conn, to("POST", path, "Transfer-Encoding: chunked"))
		a, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, "Connection: close", a.Close, want)
		io.WriteString(conn, "3\r\nabc\r\n0\r\n\r\n")
		body, err := io.ReadAll(a.Body)
		expect(t, "body", string(body), "abc")
		expect(t, "error", err, nil)
		if !want {
			io.WriteString(conn, to("POST", path, "Content-Length: 0"))
			if _, err := http.ReadResponse(r, nil); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestGoroutinesEndWithTheEngine: those of the adapter's own pool.
func TestGoroutinesEndWithTheEngine(t *testing.T) {
	before := poolGoroutines()
	s := serveHandler(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), http1.Options{})
	for range 3 {
		expect(t, "status", s.get("/").status, 200)
	}
	s.stop()
	awaitPools(t, before)
}

// Its goroutines have ended with the first.
func TestAdapterServesASecondEngine(t *testing.T) {
	a := nethttp.NewAdapter(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), nil)
	for range 2 {
		s := serve(t)(http1.New(nothing, http1.Options{OnHead: a.OnHead}))
		expect(t, "status", s.get("/").status, 200)
		s.stop()
	}
}
