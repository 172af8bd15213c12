package model

import (
	"errors"
	"io"
	"math"
	"net"
	"os"
	"time"
)

// socket is the test's end of a connection.
type socket struct {
	conn   net.Conn
	id     int                  // the seed of the bytes it sends: see inputByte
	take   func(p []byte) error // checks input
	sent   int64
	got    int64
	end    error // of reading: io.EOF is an orderly one
	shut   bool  // its output
	gone   bool  // it has closed, and does not know what came
	broken bool  // sending has failed: the system has told of a reset there, once
}

// client is the peer of one of the subject's connections.
type client struct {
	socket
	life   *life
	reader reader
}

// half is a connection whose output can be shut: TCP and Unix ones.
type half interface{ CloseWrite() error }

// send writes what is taken within a moment: a peer that does not read must not hold
// up the test.
func (s *socket) send(n int) {
	_ = s.conn.SetWriteDeadline(time.Now().Add(5 * time.Millisecond))
	for n > 0 {
		m, err := s.conn.Write(input(s.id, s.sent, min(n, 1+n/2))) // cut somewhere
		s.sent += int64(m)
		n -= m
		if err != nil {
			s.broken = s.broken || !errors.Is(err, os.ErrDeadlineExceeded)
			return
		}
	}
}

// read reads about n bytes, if they come within the time.
func (s *socket) read(n int, within time.Duration) error {
	_ = s.conn.SetReadDeadline(time.Now().Add(within))
	for p := make([]byte, min(n, 64<<10)); n > 0 && s.end == nil; {
		m, err := s.conn.Read(p[:min(n, len(p))])
		n -= m
		if wrong := s.take(p[:m]); wrong != nil {
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

// reset closes with a reset where there is one.
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

// orderly says that the end that it has read says that this was all.
func (s *socket) orderly() bool { return s.end == io.EOF && !s.broken }

// finish reads to the end, and closes.
func (s *socket) finish() error {
	if s.gone {
		return nil
	}
	err := s.read(math.MaxInt, patience)
	if err == nil && s.end == nil {
		err = errors.New("the end does not come")
	}
	_ = s.conn.Close()
	return err
}
