package httpparse

import (
	"strings"
	"testing"
)

func TestKeepAlive(t *testing.T) {
	for _, row := range []struct {
		version, connection string
		want                bool
	}{
		{"1.1", "", true}, {"1.1", "close", false}, {"1.1", "CLOSE", false}, {"1.1", "x, close", false},
		{"1.1", "close ,x", false}, {"1.1", ",,\tClose\t,", false}, {"1.1", "closed", true}, {"1.1", "keep-alive", true},
		{"1.1", "keep-alive, close", false}, {"1.2", "", true}, {"1.0", "", false}, {"1.0", "keep-alive", true},
		{"1.0", "Keep-Alive, x", true}, {"1.0", "keep-alive, close", false}, {"1.0", "keepalive", false},
	} {
		message := "GET / HTTP/" + row.version + "\r\n" + h + "Connection: " + row.connection + "\r\n\r\n"
		var r Request
		if n, err := r.Parse([]byte(message), nil); n == 0 || err != nil || r.KeepAlive != row.want {
			t.Errorf("%q: %d, %v, %v", message, n, err, r.KeepAlive)
		}
	}
	var r Request
	if _, err := r.Parse([]byte(g+h+"Connection: x\r\nConnection: close\r\n\r\n"), nil); err != nil || r.KeepAlive {
		t.Error("close in a second line")
	}
}

func TestExpect(t *testing.T) {
	for _, row := range []struct {
		version, expect string
		waits, unknown  bool
	}{
		{"1.1", "100-continue", true, false}, {"1.1", "100-Continue", true, false}, {"1.1", "200-ok", false, true},
		{"1.1", "100-continue, x", false, true}, {"1.1", "", false, false}, {"1.0", "100-continue", false, false},
		{"1.0", "200-ok", false, false},
	} {
		message := "POST / HTTP/" + row.version + "\r\n" + h + "Expect: " + row.expect + "\r\n\r\n"
		var r Request
		if _, err := r.Parse([]byte(message), nil); err != nil || r.ExpectContinue != row.waits || r.ExpectUnknown != row.unknown {
			t.Errorf("%q: %v, %v, %v", message, err, r.ExpectContinue, r.ExpectUnknown)
		}
	}
}

func TestUpgradeIsOfferedIn11WithConnection(t *testing.T) {
	for _, row := range []struct{ version, connection, want string }{
		{"1.1", "Upgrade", "websocket"}, {"1.1", "keep-alive, upgrade", "websocket"}, {"1.1", "keep-alive", ""}, {"1.0", "Upgrade", ""},
	} {
		message := []byte("GET / HTTP/" + row.version + "\r\n" + h + "Upgrade: websocket\r\nConnection: " + row.connection + "\r\n\r\n")
		var r Request
		if _, err := r.Parse(message, nil); err != nil || string(r.Upgrade.Of(message)) != row.want {
			t.Errorf("%q: %v, %q", message, err, r.Upgrade.Of(message))
		}
	}
}

func TestTargetParts(t *testing.T) {
	for _, row := range []struct {
		method, target    string
		form              TargetForm
		path, query, host string
	}{
		{"GET", "/", OriginForm, "/", "", "a"},
		{"GET", "/a?b?c", OriginForm, "/a", "b?c", "a"},
		{"GET", "/a?", OriginForm, "/a", "", "a"},
		{"GET", "//a", OriginForm, "//a", "", "a"},
		{"GET", "http://h", AbsoluteForm, "", "", "h"},
		{"GET", "http://h?q", AbsoluteForm, "", "q", "h"},
		{"GET", "HTTPS://h:1/p?q", AbsoluteForm, "/p", "q", "h:1"},
		{"GET", "http://[::1]:80/?q/", AbsoluteForm, "/", "q/", "[::1]:80"},
		{"OPTIONS", "*", AsteriskForm, "", "", "a"},
		{"CONNECT", "b:1", AuthorityForm, "", "", "b:1"},
	} {
		message := row.method + " " + row.target + " HTTP/1.1\r\n" + h + "\r\n"
		var r Request
		_, err := feed(message, bytewise, func(buf []byte) (int, error) { return r.Parse(buf, nil) })
		buf := []byte(message)
		if err != nil || r.Form != row.form || string(r.Path.Of(buf)) != row.path || string(r.Query.Of(buf)) != row.query ||
			string(r.Host.Of(buf)) != row.host || string(r.Target.Of(buf)) != row.target {
			t.Errorf("%q: %v, form %d, path %q, query %q, host %q", message, err, r.Form, r.Path.Of(buf), r.Query.Of(buf), r.Host.Of(buf))
		}
	}
}

func TestKnownFieldsAfterThe64th(t *testing.T) {
	message := []byte(p + strings.Repeat("X: 1\r\n", 62) + "Content-Length: 5\r\nConnection: x\r\nConnection: close\r\n\r\n")
	var r Request
	if _, err := r.Parse(message, nil); err != nil || r.Framing != ContentLength || r.Length != 5 || r.KeepAlive {
		t.Errorf("%v, %d, %d, %v", err, r.Framing, r.Length, r.KeepAlive)
	}
	message = append(message[:len(message)-2], "Host: b\r\n\r\n"...)
	r.Reset()
	if _, err := r.Parse(message, nil); err != errHostRepeated {
		t.Errorf("second Host after 64 fields: %v", err)
	}
}

func TestFieldIsFoundInAnyCase(t *testing.T) {
	buf := []byte(g + h + "X-One: 1\r\nx-one: 2\r\n\r\n")
	var r Request
	if _, err := r.Parse(buf, nil); err != nil {
		t.Fatal(err)
	}
	if v, ok := r.Fields.Get(buf, "x-ONE"); !ok || string(v) != "1" {
		t.Errorf("%q, %v", v, ok)
	}
	if v, ok := r.Fields.Get(buf, "X-Two"); ok {
		t.Errorf("%q", v)
	}
}

func TestResetKeepsTheArrayUnlessItIsLarge(t *testing.T) {
	r := Request{Fields: make([]Field, 3, 16)}
	if r.Reset(); len(r.Fields) != 0 || cap(r.Fields) != 16 {
		t.Error(len(r.Fields), cap(r.Fields))
	}
	r.Fields = make([]Field, 3, 4096)
	if r.Reset(); r.Fields != nil {
		t.Error(cap(r.Fields))
	}
}

func TestPipelinedRequests(t *testing.T) {
	stream := g + h + "\r\n" + "GET /2 HTTP/1.1\r\n" + h + "\r\n"
	var r Request
	first, err := r.Parse([]byte(stream), nil)
	if err != nil || first != len(g+h)+2 {
		t.Fatal(first, err)
	}
	r.Reset()
	buf := []byte(stream[first:])
	if n, err := r.Parse(buf, nil); err != nil || n != len(buf) || string(r.Target.Of(buf)) != "/2" {
		t.Fatal(n, err)
	}
}
