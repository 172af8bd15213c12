package eddytls_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/eddytest"
	"github.com/eddynet/eddy/eddytls"
	"github.com/eddynet/eddy/loop"
)

// connected returns a server and a client after the handshake.
func connected(t *testing.T, p *script, version uint16) (*eddytest.Server, *memory, *tls.Conn) {
	t.Helper()
	s, conn := inMemory(t, p.Open, eddytls.Options{})
	client := tls.Client(conn, clientConfig(version))
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	s.Wait(func() bool { return p.conn != nil })
	return s, conn, client
}

func TestOwnedOutputAndFiles(t *testing.T) {
	text := pattern(3 << 20)
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	released := 0
	p := &script{data: func(c *eddy.Conn, in []byte) int {
		f, err := os.Open(name)
		if err != nil {
			t.Error(err)
		}
		_, _ = c.WriteString("copied, ")
		_ = c.WriteOwned([]byte(text), func() { released++ })
		_ = c.SendFile(f, 1, int64(len(text)-1))
		c.Close()
		return len(in)
	}}
	_, conn, client := connected(t, p, tls.VersionTLS13)
	conn.SetWindow(5000)
	_, _ = io.WriteString(client, "?")
	reads(t, client, "copied, "+text+text[1:])
	expect(t, "released", released, 1)
	if n, err := client.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("%d bytes, %v at the end", n, err)
	}
}

// No more is sealed ahead than a fixed amount, however much is written.
func TestSealedAheadIsBounded(t *testing.T) {
	p := &script{data: func(c *eddy.Conn, in []byte) int {
		_ = c.WriteOwned(make([]byte, 10<<20), nil)
		return len(in)
	}}
	_, conn, client := connected(t, p, tls.VersionTLS13)
	conn.SetWindow(0)
	_, _ = io.WriteString(client, "?")
	var sealed int64
	for l := range p.conn.Layers() {
		_, sealed = l.Held()
	}
	if sealed == 0 || sealed > 128<<10 {
		t.Errorf("%d bytes are sealed ahead", sealed)
	}
	if n := p.conn.Pending(); n < 10<<20 || n > 10<<20+128<<10 {
		t.Errorf("%d bytes are pending", n)
	}
	expect(t, "full", p.conn.Full(), true)
	conn.SetWindow(1 << 30)
	reads(t, client, string(make([]byte, 10<<20)))
	expect(t, "pending", p.conn.Pending(), 0)
}

// Small answers of one batch share a record.
func TestAnswersOfABatchShareARecord(t *testing.T) {
	p := &script{data: func(c *eddy.Conn, in []byte) int {
		for range 50 {
			_ = c.WriteOwned([]byte("0123456789"), nil)
		}
		return len(in)
	}}
	_, conn, client := connected(t, p, tls.VersionTLS13)
	_ = conn.Received() // tickets
	_, _ = io.WriteString(client, "?")
	if got := len(conn.Received()); got < 500 || got > 500+30 {
		t.Errorf("500 bytes were sent as %d", got)
	}
}

func TestWriteTimeout(t *testing.T) {
	p := &script{data: func(c *eddy.Conn, in []byte) int {
		_, _ = c.Write(make([]byte, 1<<20))
		return len(in)
	}}
	s, conn, client := connected(t, p, tls.VersionTLS13)
	conn.SetWindow(0)
	_, _ = io.WriteString(client, "?")
	s.Advance(time.Hour)
	closed, reset := conn.Closed()
	if !closed || !reset || p.err != loop.ErrWriteTimeout {
		t.Errorf("closed %v, reset %v, cause %v", closed, reset, p.err)
	}
}

// Input that ends without a close_notify was cut off.
func TestTruncationIsAnError(t *testing.T) {
	for name, part := range map[string]int{"at a record": 0, "in a record": 9} {
		t.Run(name, func(t *testing.T) {
			p := &script{}
			_, conn, client := connected(t, p, tls.VersionTLS13)
			exchange(t, client, "hello")
			if part > 0 {
				record := recordOf(t, client, conn, "more")
				conn.Send(record[:part])
			}
			_ = conn.CloseWrite()
			conn.Received()
			if closed, _ := conn.Closed(); !closed || !errors.Is(p.err, io.ErrUnexpectedEOF) {
				t.Errorf("closed %v, cause %v", closed, p.err)
			}
			for _, e := range p.events {
				if e == eddy.EventEOF {
					t.Error("the end of the input was reported as complete")
				}
			}
		})
	}
}

// recordOf is the record of a text, which is not sent.
func recordOf(t *testing.T, client *tls.Conn, conn *memory, text string) string {
	t.Helper()
	conn.muted = true
	defer func() { conn.muted = false }()
	before := len(conn.sent)
	if _, err := io.WriteString(client, text); err != nil {
		t.Fatal(err)
	}
	return string(conn.sent[before:])
}

// A record that was changed is answered with an alert, after which the connection is closed.
func TestChangedRecordGetsAnAlert(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		p := &script{}
		_, conn, client := connected(t, p, version)
		exchange(t, client, "hello")
		record := []byte(recordOf(t, client, conn, "more"))
		record[len(record)-1] ^= 1
		conn.Send(string(record))
		_, err := client.Read(make([]byte, 1))
		if err == nil || !strings.Contains(err.Error(), "bad record MAC") {
			t.Errorf("the client got %v", err)
		}
		_ = conn.CloseWrite()
		closed, reset := conn.Closed()
		if !closed || reset || p.err == nil || !strings.Contains(p.err.Error(), "bad record MAC") {
			t.Errorf("closed %v, reset %v, cause %v", closed, reset, p.err)
		}
		expect(t, "input", string(p.got), "hello")
	})
}

func TestRecordsCutAtEveryByte(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		p := &script{}
		_, conn, client := connected(t, p, version)
		size := len(recordOf(t, client, conn, "hello, hello"))
		conn.Send(string(conn.sent[len(conn.sent)-size:]))
		reads(t, client, "hello, hello")
		for first := 1; first < 2*size; first++ {
			two := recordOf(t, client, conn, "hello, hello") + recordOf(t, client, conn, "hello, hello")
			conn.Send(two[:first])
			conn.Send(two[first:])
			reads(t, client, "hello, hellohello, hello")
		}
	})
}

func TestHalfClose(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		p := &script{event: func(c *eddy.Conn, e eddy.Event) bool {
			if e == eddy.EventEOF {
				_, _ = c.WriteString("and the answer")
				c.Close()
			}
			return true
		}}
		_, conn, client := connected(t, p, version)
		exchange(t, client, "question")
		expect(t, "CloseWrite", client.CloseWrite(), nil)
		reads(t, client, "and the answer")
		if _, err := client.Read(make([]byte, 1)); err != io.EOF {
			t.Error(err)
		}
		conn.Send("bytes after the end are discarded")
		_ = conn.CloseWrite()
		if closed, reset := conn.Closed(); !closed || reset {
			t.Errorf("closed %v, reset %v", closed, reset)
		}
	})
}

// The server ends its output first, and reads on.
func TestServerEndsItsOutputFirst(t *testing.T) {
	p := &script{data: func(c *eddy.Conn, in []byte) int {
		if string(in) == "end" {
			_, _ = c.WriteString("last words")
			c.CloseWrite()
		}
		return len(in)
	}}
	_, _, client := connected(t, p, tls.VersionTLS13)
	_, _ = io.WriteString(client, "end")
	got, err := io.ReadAll(client)
	if string(got) != "last words" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	_, _ = io.WriteString(client, " and on")
	expect(t, "input", string(p.got), "end and on")
}

func TestDrain(t *testing.T) {
	p := &script{}
	e := endpoint(t, p.Open, eddytls.Options{})
	s := eddytest.NewServerOptions(t, e.Open, eddy.Options{DrainGrace: time.Second})
	silent, conn := s.Dial(), dial(s)
	client := tls.Client(conn, clientConfig(tls.VersionTLS13))
	exchange(t, client, "hello")
	halfway := s.Dial()
	halfway.Send(helloOf(clientConfig(tls.VersionTLS13)))
	s.Wait(func() bool { return halfway.Received() != "" })
	s.Drain()
	s.Advance(time.Second + time.Millisecond)
	if _, err := client.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("idle: %v", err)
	}
	if !silent.EOF() {
		t.Error("a connection without a hello is open")
	}
	if halfway.EOF() {
		t.Error("a handshake was ended by the drain")
	}
	s.Advance(10 * time.Second)
	if closed, _ := halfway.Closed(); !closed {
		t.Error("a stalled handshake is open")
	}
	s.Wait(func() bool { return e.Stats().InProgress == 0 })
}

// Memory that the handler supplies gets the opened records.
func TestReadBuffer(t *testing.T) {
	p := &supplier{space: make([]byte, 100_000)}
	s, conn := inMemory(t, func(*eddy.Conn) eddy.Handler { return p }, eddytls.Options{})
	client := tls.Client(conn, clientConfig(tls.VersionTLS13))
	text := pattern(100_000)
	_, _ = io.WriteString(client, text)
	s.Wait(func() bool { return p.n == len(text) })
	if !bytes.Equal(p.space[:p.n], []byte(text)) {
		t.Errorf("%d bytes that differ", p.n)
	}
}

type supplier struct {
	script
	space []byte
	n     int
}

func (s *supplier) ReadBuffer(*eddy.Conn) []byte { return s.space[s.n:] }

func (s *supplier) OnData(_ *eddy.Conn, in []byte) int { s.n += len(in); return len(in) }

func TestStateIsThatOfTheConnection(t *testing.T) {
	p := &script{}
	_, _, client := connected(t, p, tls.VersionTLS13)
	exchange(t, client, "hello")
	if s := eddytls.State(p.conn); s != p.state || s.ServerName != "localhost" {
		t.Errorf("%+v", s)
	}
	plain := &script{}
	eddytest.NewServer(t, plain.Open).Dial()
	if plain.state != nil {
		t.Error("a connection without TLS has a state")
	}
}
