package model

import (
	"errors"
	"io"
	"math"
	"net"
	"os"
	"time"
)

// socket is the test's side of a connection.
type socket struct {
	conn   net.Conn
	id     int                  // seed of the sent bytes: see inputByte
	verify func(p []byte) error // checks input
	sent   int64
	got    int64
	end    error // of reading: io.EOF after an orderly end
	shut   bool  // its output
	gone   bool  // it has closed, without reading everything
	broken bool  // sending has failed: a reset is reported there, once
}

// client is the peer of one of the subject's connections.
type client struct {
	socket
	life   *life
	reader reader
}

// half is a connection that can be half-closed: TCP and Unix ones.
type half interface{ CloseWrite() error }

// send writes as much as the peer accepts within a moment: a peer that does not read must
// not block the test.
func (s *socket) send(n int) {
	_ = s.conn.SetWriteDeadline(time.Now().Add(5 * time.Millisecond))
	for n > 0 {
		m, err := s.conn.Write(input(s.id, s.sent, min(n, 1+n/2))) // in several writes
		s.sent += int64(m)
		n -= m
		if err != nil {
			s.broken = s.broken || !errors.Is(err, os.ErrDeadlineExceeded)
			return
		}
	}
}

// read reads up to about n bytes within the time.
func (s *socket) read(n int, within time.Duration) error {
	_ = s.conn.SetReadDeadline(time.Now().Add(within))
	for p := make([]byte, min(n, 64<<10)); n > 0 && s.end == nil; {
		m, err := s.conn.Read(p[:min(n, len(p))])
		n -= m
		if wrong := s.verify(p[:m]); wrong != nil {
			return wrong
		}
		s.got += int64(m)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			s.end = err
		}
	}
	return nil
}

func (s *socket) shutWrite() {
	if !s.shut {
		s.shut = true
		s.broken = s.conn.(half).CloseWrite() != nil || s.broken
	}
}

// reset closes with a reset, on TCP.
func (s *socket) reset() {
	if tcp, ok := s.conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	s.close()
}

func (s *socket) close() {
	s.gone = true
	_ = s.conn.Close()
}

// orderly reports whether it has read an orderly end.
func (s *socket) orderly() bool { return s.end == io.EOF && !s.broken }

// finish reads to the end, and closes.
func (s *socket) finish() error {
	if s.gone {
		return nil
	}
	err := s.read(math.MaxInt, patience)
	if err == nil && s.end == nil {
		err = errors.New("no end of input")
	}
	_ = s.conn.Close()
	return err
}
