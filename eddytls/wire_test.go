package eddytls

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// feed is a net.Conn whose input is given in pieces: when none is left, Read returns err.
type feed struct {
	net.Conn
	in  []byte
	err error
	out []byte
}

func (f *feed) Read(p []byte) (int, error) {
	if len(f.in) == 0 {
		return 0, f.err
	}
	n := copy(p, f.in)
	f.in = f.in[n:]
	return n, nil
}

func (f *feed) Write(p []byte) (int, error)      { f.out = append(f.out, p...); return len(p), nil }
func (f *feed) SetWriteDeadline(time.Time) error { return nil }

// handshaken returns both ends of a connection after the handshake; the server's is fed.
func handshaken(t *testing.T, version uint16) (server, client *tls.Conn, in, out *feed) {
	t.Helper()
	a, b := net.Pipe()
	in, out = &feed{Conn: a}, &feed{Conn: b}
	// The handshake passes the pipe, what follows the feeds.
	x, y := &switched{Conn: a}, &switched{Conn: b}
	server = tls.Server(x, &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}, SessionTicketsDisabled: true})
	client = tls.Client(y, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
	done := make(chan error, 1)
	go func() { done <- client.Handshake() }()
	if err := server.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	x.Conn, y.Conn = in, out
	return server, client, in, out
}

type switched struct{ net.Conn }

// This is what the package stands on, and crypto/tls does not document: after the handshake,
// an error of the net.Conn whose Temporary method returns true is returned as it is, and
// reading goes on after it, wherever a record was cut. If this test fails with a new Go
// release, crypto/tls has changed, and this package does not work with it.
func TestCryptoTLSGoesOnAfterATemporaryErrorOfItsConn(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		server, client, in, out := handshaken(t, version)
		in.err = wouldBlock
		if _, err := io.WriteString(client, "hello"); err != nil {
			t.Fatal(err)
		}
		record := out.out
		buf := make([]byte, 100)
		for i := range record {
			if n, err := server.Read(buf); n != 0 || err != error(wouldBlock) {
				t.Fatalf("after %d bytes: %d, %v", i, n, err)
			}
			in.in = record[i : i+1]
		}
		if n, err := server.Read(buf); string(buf[:n]) != "hello" || err != nil {
			t.Errorf("got %q, %v", buf[:n], err)
		}
		// Any other error is final.
		in.err = errors.New("final")
		if _, err := server.Read(buf); err != in.err {
			t.Error(err)
		}
		in.err = wouldBlock
		if _, err := server.Read(buf); err == error(wouldBlock) {
			t.Error("an error that is not temporary was not final")
		}
	}
}

// crypto/tls asserts the type net.Error.
func TestErrorsOfTheTransportAreTemporary(t *testing.T) {
	for _, errno := range []error{unix.EAGAIN, unix.EINTR, unix.ENOBUFS, unix.ENOMEM} {
		w := (*wire)(&layer{Transport: failing{err: errno}, room: 1})
		_, err := w.Read(make([]byte, 1))
		_, isNetError := err.(net.Error)
		if e, ok := err.(interface{ Temporary() bool }); !isNetError || !ok || !e.Temporary() {
			t.Errorf("%v: %v", errno, err)
		}
	}
}
