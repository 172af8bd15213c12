package http1_test

import (
	"io"
	"net"
	"strings"
	"testing"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

// shout is a protocol that sends back what it gets, in capitals.
type shout struct{}

func (shout) Open(*eddy.Conn) eddy.Handler        { return shout{} }
func (shout) OnEvent(*eddy.Conn, eddy.Event) bool { return false }
func (shout) OnData(c *eddy.Conn, in []byte) int {
	c.WriteString(strings.ToUpper(string(in)))
	return len(in)
}

// upgrading is a handler that upgrades whatever is offered, and answers 426 to others.
func upgrading(t *testing.T) http1.Handler {
	return func(w *http1.Response, r *http1.Request) {
		w.SetHeader("X", "1")
		if err := w.Upgrade("shout", shout{}.Open); err != nil {
			w.SetStatus(426)
			w.SetHeader("upgrade", "shout")
		}
	}
}

const offer = "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Upgrade\r\nUpgrade: other/2, SHOUT\r\n"

// reads expects these bytes next.
func (c *client) reads(want string) {
	c.t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c.r, got); err != nil {
		c.t.Fatalf("%v behind %q", err, got)
	}
	expect(c.t, "bytes", string(got), want)
}

// TestUpgrade: rule 106. Bytes behind the request belong to the new protocol.
func TestUpgrade(t *testing.T) {
	s := serve(t, upgrading(t), http1.Options{})
	for _, behind := range []string{"", "hello", "GET / HTTP/1.1\r\n\r\n"} {
		c := s.dial()
		c.send(strings.Replace(get("/"), "GET", "PUT", 1))
		before := c.answer("PUT")
		expect(t, "status before", before.status, 426)
		expect(t, "Connection before", before.field("Connection"), "Upgrade")
		c.send(offer + "\r\n" + behind)
		a := c.answer("GET")
		expect(t, "status", a.status, 101)
		expect(t, "Upgrade", strings.ToLower(a.field("Upgrade")), "shout")
		expect(t, "Connection", strings.ToLower(a.field("Connection")), "upgrade")
		expect(t, "X", a.field("X"), "1")
		c.reads(strings.ToUpper(behind))
		c.send("more")
		c.reads("MORE")
	}
}

// TestNoUpgradeWithoutAnOffer: rule 106: not in HTTP/1.0, not for another hop, not to
// another protocol.
func TestNoUpgradeWithoutAnOffer(t *testing.T) {
	s := serve(t, upgrading(t), http1.Options{})
	for _, request := range []string{
		get("/"),
		strings.Replace(offer, "HTTP/1.1", "HTTP/1.0", 1) + "\r\n",
		strings.Replace(offer, "Connection: x, Upgrade\r\n", "", 1) + "\r\n",
		strings.Replace(offer, "SHOUT", "shouting", 1) + "\r\n",
		strings.Replace(offer, "SHOUT", "\"shout\"", 1) + "\r\n",
	} {
		c := s.dial()
		c.send(request)
		a := c.answer("GET")
		expect(t, "status", a.status, 426)
		expect(t, "Upgrade", a.field("Upgrade"), "shout")
	}
}

// TestContinueComesBeforeTheUpgrade: rule 106.
func TestContinueComesBeforeTheUpgrade(t *testing.T) {
	s := serve(t, upgrading(t), http1.Options{})
	c := s.dial()
	c.send(offer + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
	expect(t, "first status", c.answer("GET").status, 100)
	c.send("hello" + "world")
	expect(t, "second status", c.answer("GET").status, 101)
	c.reads("WORLD")
}

// TestUpgradeByADeferredAnswer: the bytes that came meanwhile are not lost.
func TestUpgradeByADeferredAnswer(t *testing.T) {
	h, ch := deferrals()
	s := serve(t, h, http1.Options{})
	c := s.dial()
	c.send(offer + "\r\nhello")
	d := await(t, "the request", ch)
	c.send(" world")
	err := d.Respond(func(w *http1.Response) {
		if err := w.Upgrade("shout", shout{}.Open); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Error(err)
	}
	expect(t, "status", c.answer("GET").status, 101)
	c.reads("HELLO WORLD")
}

// TestConnectBecomesATunnel: rule 99.
func TestConnectBecomesATunnel(t *testing.T) {
	s := serve(t, upgrading(t), http1.Options{AllowConnect: true})
	c := s.dial()
	c.send("CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\nhello")
	expect(t, "status", c.answer("CONNECT").status, 200)
	c.reads("HELLO")
}

// TestHijack: answers before it go out first; the bytes behind the request come along.
func TestHijack(t *testing.T) {
	s := serve(t, func(w *http1.Response, r *http1.Request) {
		if string(r.Path()) != "/hijack" {
			w.WriteString("before")
			return
		}
		w.Hijack(func(conn net.Conn, buffered []byte, err error) {
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			rest := make([]byte, 5)
			if _, err := io.ReadFull(conn, rest); err != nil {
				t.Error(err)
			}
			io.WriteString(conn, "got "+string(buffered)+" and "+string(rest))
		})
	}, http1.Options{})
	c := s.dial()
	c.send(get("/") + get("/hijack") + "hello")
	expect(t, "body", string(c.answer("GET").body), "before")
	c.send("world")
	c.reads("got hello and world")
	c.closed()
}

// TestHijackOfAStream: what was written goes out first.
func TestHijackOfAStream(t *testing.T) {
	s := serve(t, func(w *http1.Response, r *http1.Request) {
		w.SetLength(11)
		w.Stream().Write([]byte("hello "))
		w.Hijack(func(conn net.Conn, _ []byte, err error) {
			if err == nil {
				io.WriteString(conn, "world")
				conn.Close()
			}
		})
	}, http1.Options{})
	c := s.dial()
	c.send(get("/"))
	expect(t, "body", string(c.answer("GET").body), "hello world")
	c.closed()
}

// TestHijackOfAConnectionThatBreaks: the function is called all the same.
func TestHijackOfAConnectionThatBreaks(t *testing.T) {
	result := make(chan error, 1)
	s := inMemory(t, func(w *http1.Response, r *http1.Request) {
		w.Hijack(func(_ net.Conn, _ []byte, err error) { result <- err })
		w.Drop() // before it has left
	}, http1.Options{})
	c := s.dial()
	c.send(get("/"))
	c.conn.Close()
	expect(t, "error", await(t, "the function", result), http1.ErrClientGone)
}
