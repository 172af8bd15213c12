package http1_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"testing"

	"github.com/eddynet/eddy/http1"
)

var long = flag.Bool("long", false, "repeat some tests often enough to meet rare races")

// TestErrorReachesAClientThatIsStillSending: rules 111 and 115: it sends 8 MiB,
// whatever happens, and only then reads. A reset would destroy the answer.
func TestErrorReachesAClientThatIsStillSending(t *testing.T) {
	s := serve(t, describe, http1.Options{})
	times := 20
	if *long {
		times = 1000
	}
	body := bytes.Repeat([]byte("x"), 8<<20)
	for _, c := range []struct {
		head   string
		status int
	}{
		{fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", len(body)), 413},
		{fmt.Sprintf("POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n", len(body)), 400},
	} {
		for i := range times {
			if err := s.refusesLate(c.head, body, c.status); err != nil {
				t.Fatalf("client %d of %d: %v", i, times, err)
			}
		}
	}
}

// refusesLate sends head and body, and expects a refusal.
func (s *server) refusesLate(head string, body []byte, status int) error {
	conn, err := s.connect()
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, head); err != nil {
		return err
	}
	if _, err := conn.Write(body); err != nil {
		return fmt.Errorf("while sending: %w", err)
	}
	c := newClient(conn)
	a, err := c.read("POST")
	if err != nil {
		return err
	}
	if a.status != status || !a.closes() {
		return fmt.Errorf("answer %q %q", a.line, a.fields)
	}
	return c.readEnd()
}

// TestLastAnswerReachesAClientThatIsStillSending: the same where the answer is a good
// one that closes, and pipelined requests follow that nobody will read.
func TestLastAnswerReachesAClientThatIsStillSending(t *testing.T) {
	s := serve(t, write("last"), http1.Options{})
	rest := bytes.Repeat([]byte(get("/more")), 4<<20/len(get("/more")))
	for range 5 {
		c := s.dial()
		c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if _, err := c.conn.Write(rest); err != nil {
			t.Fatal(err)
		}
		expect(t, "body", string(c.answer("GET").body), "last")
		c.closed()
	}
}
