package eddytls_test

import (
	"strings"
	"testing"

	"github.com/eddynet/eddy/eddytest"
	"github.com/eddynet/eddy/eddytls"
)

func TestPlainHTTPIsAnswered(t *testing.T) {
	for _, request := range []string{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /x HTTP/1.1\r\n\r\n", "OPTIONS * HTTP/1.1\r\n\r\n"} {
		e := endpoint(t, (&script{}).Open, eddytls.Options{})
		c := eddytest.NewServer(t, e.Open).Dial()
		for _, b := range []byte(request) {
			c.Send(string(b))
		}
		got := c.Received()
		head, body, _ := strings.Cut(got, "\r\n\r\n")
		if !strings.HasPrefix(head, "HTTP/1.1 400 Bad Request\r\n") || !strings.Contains(body, "expects HTTPS") || !strings.Contains(head, "Content-Length: 80") || len(body) != 80 || !c.EOF() {
			t.Errorf("got %q, end %v", got, c.EOF())
		}
		expect(t, "counted", e.Stats().PlainHTTP, 1)
		c.CloseWrite()
		if closed, reset := c.Closed(); !closed || reset {
			t.Errorf("closed %v, reset %v", closed, reset)
		}
	}
}

// Each kind of invalid input has its alert, and an orderly close after it.
func TestInvalidInputGetsAnAlert(t *testing.T) {
	record := func(typ, length int, content ...byte) string {
		return string(append([]byte{byte(typ), 3, 1, byte(length >> 8), byte(length)}, content...))
	}
	for name, row := range map[string]struct {
		in    string
		alert byte
	}{
		"garbage":                   {"\x00\x01\x02\x03\x04\x05\x06", 10},
		"not HTTP either":           {"EHLO example.org\r\n", 10},
		"SSLv2":                     {"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", 70},
		"hello of 16 MB":            {record(22, 4, 1, 0xff, 0xff, 0xff), 80},
		"record of 65,535 bytes":    {record(22, 0xffff), 22},
		"another handshake message": {record(22, 4, 2, 0, 0, 0), 50},
		"an invalid hello":          {record(22, 6, 1, 0, 0, 2, 3, 3), 50},
		"application data":          {record(23, 4, 1, 2, 3, 4), 10},
	} {
		t.Run(name, func(t *testing.T) {
			e := endpoint(t, (&script{}).Open, eddytls.Options{})
			s := eddytest.NewServer(t, e.Open)
			c := s.Dial()
			c.Send(row.in)
			s.Wait(c.EOF)
			if got := c.Received(); len(got) != 7 || got[0] != 21 || got[5] != 2 || got[6] != row.alert {
				t.Errorf("got %x, want the alert %d", got, row.alert)
			}
			c.CloseWrite()
			if closed, reset := c.Closed(); !closed || reset {
				t.Errorf("closed %v, reset %v", closed, reset)
			}
			if n := e.Stats(); n.NotTLS+n.Protocol != 1 || n.InProgress != 0 {
				t.Errorf("%+v", n)
			}
		})
	}
}
