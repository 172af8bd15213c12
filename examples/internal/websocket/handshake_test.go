package websocket_test

import (
	"strings"
	"testing"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/examples/internal/program"
	"github.com/eddynet/eddy/examples/internal/websocket"
	"github.com/eddynet/eddy/examples/internal/websocket/wstest"
)

func TestHandshakeIsChecked(t *testing.T) {
	s := serve(t, eddy.Options{}, websocket.Options{})
	for name, test := range map[string]struct {
		request string
		status  int
		says    string
	}{
		"as it should be":       {wstest.Handshake("/"), 101, ""},
		"in other letters":      {wstest.Handshake("/", "Upgrade: h2c, WebSocket", "Connection: keep-alive, UPGRADE"), 101, ""},
		"another version":       {wstest.Handshake("/", "Sec-WebSocket-Version: 12"), 426, "Sec-WebSocket-Version: 13"},
		"no version":            {wstest.Handshake("/", "Sec-WebSocket-Version:"), 426, "Sec-WebSocket-Version: 13"},
		"no key":                {wstest.Handshake("/", "Sec-WebSocket-Key:"), 400, "Sec-WebSocket-Key"},
		"a short key":           {wstest.Handshake("/", "Sec-WebSocket-Key: c2hvcnQ="), 400, "Sec-WebSocket-Key"},
		"a key that is none":    {wstest.Handshake("/", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ"), 400, "Sec-WebSocket-Key"},
		"another protocol":      {wstest.Handshake("/", "Upgrade: h2c"), 426, "Upgrade: websocket"},
		"not for this hop":      {wstest.Handshake("/", "Connection: keep-alive"), 426, "Connection: Upgrade"},
		"an ordinary request":   {program.Get("/"), 426, "WebSocket"},
		"another method":        {strings.Replace(wstest.Handshake("/"), "GET", "PUT", 1), 405, "GET"},
		"HTTP/1.0, has no such": {strings.Replace(wstest.Handshake("/"), "HTTP/1.1", "HTTP/1.0", 1), 426, "Upgrade: websocket"},
	} {
		t.Run(name, func(t *testing.T) {
			c := program.Dial(t, s.address)
			c.Send(test.request)
			a := c.Answer("GET")
			if a.StatusCode != test.status || !strings.Contains(a.Text, test.says) {
				t.Fatalf("got %s %q, want %d and %q", a.Status, a.Text, test.status, test.says)
			}
			switch accept := a.Header.Get("Sec-WebSocket-Accept"); {
			case test.status == 101 && accept != wstest.Acceptance:
				t.Errorf("Sec-WebSocket-Accept is %q", accept)
			case test.status != 101 && accept != "":
				t.Errorf("Sec-WebSocket-Accept is %q in a refusal", accept)
			case test.status == 426 && a.Header.Get("Upgrade") != "websocket":
				t.Errorf("Upgrade is %q", a.Header.Get("Upgrade"))
			}
		})
	}
}
