package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/eddynet/eddy/examples/internal/program"
)

// talk is a WebSocket as a client has it.
type talk struct {
	t    *testing.T
	conn net.Conn
	r    io.Reader
}

// dial opens a WebSocket, with Patience as its deadline.
func dial(t *testing.T, address string, after int64) *talk {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), program.Patience)
	defer cancel()
	conn, early, _, err := ws.Dial(ctx, fmt.Sprintf("ws://%s/socket?after=%d", address, after))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(program.Patience)); err != nil {
		t.Fatal(err)
	}
	c := &talk{t: t, conn: conn, r: conn}
	if early != nil {
		c.r = early // the server has sent more than its answer
	}
	return c
}

// write sends frames, masked, in one write.
func (c *talk) write(frames ...ws.Frame) {
	c.t.Helper()
	var all bytes.Buffer
	for _, f := range frames {
		ws.MustWriteFrame(&all, ws.MaskFrame(f))
	}
	c.bytes(all.Bytes())
}

func (c *talk) bytes(p []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(p); err != nil {
		c.t.Fatal(err)
	}
}

// read reads a frame, which must have that code.
func (c *talk) read(code ws.OpCode) []byte {
	c.t.Helper()
	f, err := ws.ReadFrame(c.r)
	if err != nil {
		c.t.Fatal(err)
	}
	if f.Header.OpCode != code || f.Header.Masked || !f.Header.Fin {
		c.t.Fatalf("got frame %+v %q, want one with code %d", f.Header, f.Payload, code)
	}
	return f.Payload
}

func (c *talk) news() []message { c.t.Helper(); return parse(c.t, c.read(ws.OpText)) }

// closes expects a close frame with that status, and the end of the connection.
func (c *talk) closes(status ws.StatusCode) {
	c.t.Helper()
	got, reason := ws.ParseCloseFrameData(c.read(ws.OpClose))
	if got != status {
		c.t.Errorf("closed with %d, %q, want %d", got, reason, status)
	}
	if n, err := c.r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		c.t.Errorf("behind the close frame: %d bytes, %v", n, err)
	}
	c.conn.Close()
}

func text(name, words string) ws.Frame { return ws.NewTextFrame([]byte(said(name, words))) }

func TestBothTransportsMeet(t *testing.T) {
	p, address := start(t)
	send(t, address, "Ada", "before")
	c := dial(t, address, 0)
	if got := texts(c.news()); got != "Ada: before" {
		t.Errorf("at first there is %q", got)
	}
	c.write(text("Bob", "over the socket"))
	news := c.news()
	if got := texts(news); got != "Bob: over the socket" || news[0].Via != "socket" {
		t.Errorf("got %+v", news)
	}
	if got := texts(poll(t, address, news[0].Number-1)); got != "Bob: over the socket" {
		t.Errorf("polling brings %q", got)
	}
	send(t, address, "Ada", "by post")
	if got := texts(c.news()); got != "Ada: by post" {
		t.Errorf("got %q", got)
	}
	c.write(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, "")))
	c.closes(ws.StatusNormalClosure)
	p.Signal(syscall.SIGTERM)
	p.ExitsCleanly()
}

func TestSocketGoesOnWhereItWas(t *testing.T) {
	_, address := start(t)
	c := dial(t, address, 0)
	for i := range 3 {
		send(t, address, "Ada", fmt.Sprint(i))
	}
	first := c.news()[0].Number
	if got := texts(dial(t, address, first).news()); got != "Ada: 1\nAda: 2" {
		t.Errorf("got %q", got)
	}
}

func TestFramesMayComeInPieces(t *testing.T) {
	_, address := start(t)
	c := dial(t, address, 0)
	for _, b := range ws.MustCompileFrame(ws.MaskFrame(text("Ada", "byte by byte"))) {
		c.bytes([]byte{b})
	}
	if got := texts(c.news()); got != "Ada: byte by byte" {
		t.Errorf("got %q", got)
	}
	c.write(text("Ada", "two"), text("Ada", "at once"))
	if got := texts(c.news()) + "\n" + texts(c.news()); got != "Ada: two\nAda: at once" {
		t.Errorf("got %q", got)
	}
}

func TestMessagesMayComeInFragments(t *testing.T) {
	_, address := start(t)
	c := dial(t, address, 0)
	whole := said("Ada", "f\u00fcnf") // cut within the letter too
	cut := strings.Index(whole, "\u00fc") + 1
	c.write(
		ws.NewFrame(ws.OpText, false, []byte(whole[:5])),
		ws.NewFrame(ws.OpContinuation, false, []byte(whole[5:cut])),
		ws.NewPingFrame([]byte("between")),
		ws.NewFrame(ws.OpContinuation, false, nil),
		ws.NewFrame(ws.OpContinuation, true, []byte(whole[cut:])),
	)
	if got := string(c.read(ws.OpPong)); got != "between" {
		t.Errorf("the pong has %q", got)
	}
	if got := texts(c.news()); got != "Ada: f\u00fcnf" {
		t.Errorf("got %q", got)
	}
}

func TestSocketEndsWithAReason(t *testing.T) {
	_, address := start(t)
	unmasked := ws.MustCompileFrame(text("Ada", "x"))
	masked := func(frames ...ws.Frame) (all []byte) {
		for _, f := range frames {
			all = append(all, ws.MustCompileFrame(ws.MaskFrame(f))...)
		}
		return all
	}
	large := bytes.Repeat([]byte("x"), 5000)
	for name, test := range map[string]struct {
		sent   []byte
		status ws.StatusCode
	}{
		"unmasked":                {unmasked, 1002},
		"reserved bit":            {[]byte{0xC1, 0x80, 0, 0, 0, 0}, 1002},
		"reserved code":           {[]byte{0x83, 0x80, 0, 0, 0, 0}, 1002},
		"long ping":               {masked(ws.NewPingFrame(large[:126])), 1002},
		"ping in fragments":       {masked(ws.NewFrame(ws.OpPing, false, nil)), 1002},
		"nothing to continue":     {masked(ws.NewFrame(ws.OpContinuation, true, nil)), 1002},
		"text inside text":        {masked(ws.NewFrame(ws.OpText, false, nil), text("Ada", "x")), 1002},
		"close with half a code":  {masked(ws.NewCloseFrame([]byte{3})), 1002},
		"close with a bad code":   {masked(ws.NewCloseFrame([]byte{0x03, 0xED})), 1002}, // 1005
		"binary":                  {masked(ws.NewBinaryFrame([]byte("x"))), 1003},
		"not UTF-8":               {masked(ws.NewTextFrame([]byte{0xFF})), 1007},
		"no message":              {masked(ws.NewTextFrame([]byte("hello"))), 1008},
		"large":                   {masked(ws.NewTextFrame(append(large, large...))), 1009},
		"large in fragments":      {masked(ws.NewFrame(ws.OpText, false, large), ws.NewFrame(ws.OpContinuation, true, large)), 1009},
		"huge, only the header":   {[]byte{0x81, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0}, 1009},
		"length with its top bit": {[]byte{0x81, 0xFF, 0xFF, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0}, 1002},
		"close without a code":    {masked(ws.NewCloseFrame(nil)), 1000},
		"close":                   {masked(ws.NewCloseFrame(ws.NewCloseFrameBody(4000, "bye"))), 4000},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, address, 0)
			c.bytes(test.sent)
			c.closes(test.status)
		})
	}
	send(t, address, "Ada", "still here")
	if got := texts(poll(t, address, 0)); got != "Ada: still here" {
		t.Errorf("got %q", got)
	}
}

func TestHandshakeIsChecked(t *testing.T) {
	_, address := start(t)
	for name, test := range map[string]struct {
		field, value string
		status       int
	}{
		"as it should be":  {"X-None", "", 101},
		"same origin":      {"Origin", "http://" + address, 101},
		"another's page":   {"Origin", "http://example.com", 403},
		"no page":          {"Origin", "null", 403},
		"another version":  {"Sec-WebSocket-Version", "12", 426},
		"no key":           {"Sec-WebSocket-Key", "", 400},
		"short key":        {"Sec-WebSocket-Key", "c2hvcnQ=", 400},
		"another protocol": {"Upgrade", "other", 400},
	} {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequest("GET", "http://"+address+"/socket", nil)
			if err != nil {
				t.Fatal(err)
			}
			for field, value := range map[string]string{
				"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
				"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", test.field: test.value,
			} {
				request.Header.Set(field, value)
			}
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.StatusCode != test.status {
				t.Fatalf("got %s, want %d", response.Status, test.status)
			}
			// The example of RFC 6455 section 1.3.
			if got := response.Header.Get("Sec-WebSocket-Accept"); test.status == 101 && got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
				t.Errorf("Sec-WebSocket-Accept is %q", got)
			}
		})
	}
}

// All sockets, which live on several loops, see the same messages in the same order.
func TestOrderIsTheSameForAll(t *testing.T) {
	_, address := start(t)
	const talkers, each = 6, 20
	var all []*talk
	for range talkers {
		all = append(all, dial(t, address, 0))
	}
	for i := range each {
		for k, c := range all {
			c.write(text(fmt.Sprint(k), fmt.Sprint(i)))
		}
	}
	var want []int64
	for k, c := range all {
		var got []int64
		for len(got) < talkers*each {
			for _, m := range c.news() {
				got = append(got, m.Number)
			}
		}
		if k == 0 {
			want = got
		}
		for i, n := range got {
			if n != want[0]+int64(i) {
				t.Fatalf("talker %d got %v", k, got)
			}
		}
	}
}
