package http1_test

import (
	"testing"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

// TestDrainLosesNothing: an idle connection has its late request answered, with
// Connection: close; an answer in work arrives; half a request may be completed; then
// Run returns nil.
func TestDrainLosesNothing(t *testing.T) {
	ch := make(chan *http1.Deferred, 1)
	streams := make(chan func(), 1)
	s := serveWith(t, func(w *http1.Response, r *http1.Request) {
		switch string(r.Path()) {
		case "/defer":
			ch <- w.Defer()
		case "/stream":
			stream := w.Stream()
			loop := w.Loop()
			streams <- func() {
				loop.Post(func() {
					stream.Write([]byte("hello"))
					stream.Finish()
				})
			}
		default:
			w.Write(r.Path())
		}
	}, http1.Options{}, eddy.Options{DrainGrace: patience})
	idle, fresh, half, working, streaming := s.dial(), s.dial(), s.dial(), s.dial(), s.dial()
	idle.send(get("/1"))
	expect(t, "Connection before", idle.answer("GET").field("Connection"), "")
	half.send("GET /half HTTP/1.1\r\nHo")
	working.send(get("/defer") + get("/behind"))
	d := await(t, "the deferred request", ch)
	streaming.send(get("/stream"))
	finish := await(t, "the stream", streams)
	fresh.conn.Write(nil)

	s.cancel()
	s.awaitDraining()

	idle.send(get("/late"))
	a := idle.answer("GET")
	expect(t, "body", string(a.body), "/late")
	expect(t, "Connection", a.field("Connection"), "close")
	idle.closed()

	fresh.send(get("/fresh"))
	expect(t, "body of a connection without a request", string(fresh.answer("GET").body), "/fresh")
	fresh.closed()

	half.send("st: a\r\n\r\n")
	a = half.answer("GET")
	expect(t, "body of a request that had begun", string(a.body), "/half")
	expect(t, "Connection", a.field("Connection"), "close")
	half.closed()

	select {
	case err := <-s.ended:
		t.Fatalf("Run has returned (%v) while an answer is in work", err)
	case <-time.After(20 * time.Millisecond):
	}
	if err := d.Respond(respond("in work")); err != nil {
		t.Error(err)
	}
	a = working.answer("GET")
	expect(t, "body of the answer in work", string(a.body), "in work")
	expect(t, "Connection", a.field("Connection"), "close")
	working.closed()

	finish()
	expect(t, "body of the stream", string(streaming.answer("GET").body), "hello")
	streaming.send(get("/late")) // its head had not announced the end
	expect(t, "Connection behind the stream", streaming.answer("GET").field("Connection"), "close")
	streaming.closed()

	for _, c := range []*client{idle, fresh, half, working, streaming} {
		c.conn.Close() // the server lingers until then
	}
	s.stop()
}

// awaitDraining waits until the server does not accept connections any more.
func (s *server) awaitDraining() {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		conn, err := s.connect()
		if err != nil {
			time.Sleep(20 * time.Millisecond) // the loops are told next
			return
		}
		conn.Close()
	}
	s.t.Fatal("the server still accepts")
}

// TestDrainEndsIdleConnections after the grace, silently.
func TestDrainEndsIdleConnections(t *testing.T) {
	s := serveVia(t, via{memory: true}, write("x"), http1.Options{}, eddy.Options{DrainGrace: shortly})
	idle, fresh := s.dial(), s.dial()
	idle.send(get("/"))
	expect(t, "status", idle.answer("GET").status, 200)
	fresh.send("")
	s.memory.Drain()
	fresh.quiet(0)
	idle.quietFor(shortly)
	idle.closed()
	fresh.closed()
}

// TestDrainEndsTheConnectionOfAStream whose head was sent before the drain, and so
// could not announce the end.
func TestDrainEndsTheConnectionOfAStream(t *testing.T) {
	streams := make(chan *http1.Stream, 1)
	s := serveWith(t, func(w *http1.Response, _ *http1.Request) {
		stream := w.Stream()
		w.Loop().After(300*time.Millisecond, func() { stream.Finish() })
		streams <- stream
	}, http1.Options{}, eddy.Options{DrainGrace: shortly})
	c := s.dial()
	c.send(get("/"))
	await(t, "the stream", streams)
	s.cancel()
	expect(t, "status", c.answer("GET").status, 200)
	c.closed()
	c.conn.Close()
	s.stop()
}

// TestDrainDoesNotWaitForIdleClients: a client whose connection is idle, and who does
// not close it, holds up neither a drain nor the idle timeout.
func TestDrainDoesNotWaitForIdleClients(t *testing.T) {
	for _, v := range []via{{}, {layered: true}, {tls: true}} {
		// The grace is longer than an acknowledgement is delayed.
		s := serveVia(t, v, write("hello"), http1.Options{}, eddy.Options{LingerTimeout: time.Hour, DrainGrace: 200 * time.Millisecond})
		idle, fresh := s.dial(), s.dial()
		idle.send(get("/"))
		expect(t, "body", string(idle.answer("GET").body), "hello")
		s.cancel()
		if err := await(t, "the end of Run", s.ended); err != nil {
			t.Errorf("Run returned %v", err)
		}
		s.ended <- nil
		idle.closed() // in order, not by a reset
		fresh.closed()
	}
}
