package httpparse

import (
	"fmt"
	"strings"
	"testing"
)

type responseOutcome struct {
	N      int
	Err    error
	Facts  string
	Fields []string
}

func responseBy(next cutter, message, method string, limits *Limits) responseOutcome {
	var r Response
	n, err := feed(message, next, func(buf []byte) (int, error) { return r.Parse(buf, method, limits) })
	o := responseOutcome{N: n, Err: err}
	if n > 0 && err == nil {
		buf := []byte(message)
		o.Facts = fmt.Sprintf("%d %q %d %d %v %q", r.Status, r.Reason.Of(buf), r.Framing, r.Length, r.KeepAlive, r.Upgrade.Of(buf))
		o.Fields = fieldStrings(buf, r.Fields)
	}
	return o
}

func TestStatusLine(t *testing.T) {
	for _, row := range []struct {
		line string
		err  error
	}{
		{"HTTP/1.1 200 OK", nil}, {"HTTP/1.0 200 OK", nil}, {"HTTP/1.1 200 ", nil}, {"HTTP/1.1 599 a b\t\x80", nil}, {"HTTP/1.9 999 x", nil},
		{"HTTP/1.1 200", errStatusLine}, {"HTTP/1.1 20 OK", errStatusLine}, {"HTTP/1.1 2000 OK", errStatusLine},
		{"HTTP/1.1 099 OK", errStatusLine}, {"HTTP/1.1 2x0 OK", errStatusLine}, {"HTTP/1.1  200 OK", errStatusLine},
		{"HTTP/1.1\t200 OK", errStatusLine}, {"http/1.1 200 OK", errStatusLine}, {"HTTP/1.10 200 OK", errStatusLine},
		{"HTTP/2.0 200 OK", errVersionMajor}, {"ICY 200 OK", errStatusLine}, {"\r\nHTTP/1.1 200 OK", errStatusLine},
		{"HTTP/1.1 200 O\x00K", errReason}, {"HTTP/1.1 200 O\x7fK", errReason}, {"HTTP/1.1 200 OK\n", errBareLF}, {"HTTP/1.1 200 O\rK", errBareCR},
	} {
		message := row.line + "\r\nContent-Length: 0\r\n\r\n"
		got := sameForAllCuts(t, message, func(next cutter) responseOutcome { return responseBy(next, message, "GET", nil) })
		if got.Err != row.err || row.err == nil && got.N != len(message) {
			t.Errorf("%q: %+v", row.line, got)
		}
	}
}

func TestResponseFraming(t *testing.T) {
	const cl, te = "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"
	for _, row := range []struct {
		method, status, fields string
		framing                Framing
		length                 int64
		keepAlive              bool
		err                    error
	}{
		{"GET", "200", cl, ContentLength, 5, true, nil},
		{"GET", "200", te, ChunkedBody, 0, true, nil},
		{"GET", "200", "", UntilClose, 0, false, nil},
		{"GET", "200", cl + "Connection: close\r\n", ContentLength, 5, false, nil},
		{"HEAD", "200", cl, NoBody, 5, true, nil},
		{"HEAD", "200", te, NoBody, 0, true, nil},
		{"HEAD", "200", "", NoBody, 0, true, nil},
		{"GET", "100", "", NoBody, 0, true, nil},
		{"GET", "204", cl, NoBody, 5, true, nil},
		{"GET", "304", cl, NoBody, 5, true, nil},
		{"GET", "304", te, NoBody, 0, true, nil},
		{"CONNECT", "200", cl + te, NoBody, 0, true, nil},
		{"CONNECT", "407", cl, ContentLength, 5, true, nil},
		{"GET", "200", cl + te, 0, 0, false, errLengthAndCoding},
		{"GET", "200", te + cl, 0, 0, false, errLengthAndCoding},
		{"GET", "200", cl + cl, 0, 0, false, errLengthRepeated},
		{"GET", "200", "Content-Length: +5\r\n", 0, 0, false, errLength},
		{"GET", "200", "Transfer-Encoding: gzip\r\n", 0, 0, false, errCoding},
		{"GET", "200", "Transfer-Encoding: gzip, chunked\r\n", 0, 0, false, errCodingUnknown},
	} {
		message := "HTTP/1.1 " + row.status + " \r\n" + row.fields + "\r\n"
		var r Response
		n, err := r.Parse([]byte(message), row.method, nil)
		if err != row.err {
			t.Errorf("%s %q: %v", row.method, message, err)
		}
		if row.err == nil && (n != len(message) || r.Framing != row.framing || r.Length != row.length || r.KeepAlive != row.keepAlive) {
			t.Errorf("%s %q: %d, framing %d, length %d, %v", row.method, message, n, r.Framing, r.Length, r.KeepAlive)
		}
	}
	message := "HTTP/1.0 200 OK\r\n" + te + "\r\n"
	if got := responseBy(bytewise, message, "GET", nil); got.Err != errCodingOldVersion {
		t.Error(got.Err)
	}
}

func TestResponseKeepAliveAndUpgrade(t *testing.T) {
	for head, want := range map[string]string{
		"HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n":                 `200 "OK" 1 1 true ""`,
		"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n":                                           `200 "OK" 1 1 false ""`,
		"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n":  `101 "Switching Protocols" 0 0 true "websocket"`,
		"HTTP/1.0 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n":  `101 "Switching Protocols" 0 0 false ""`,
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: " + strings.Repeat("long ", 20) + "\r\n": `200 "OK" 1 0 true ""`,
	} {
		message := head + "\r\n"
		got := sameForAllCuts(t, message, func(next cutter) responseOutcome { return responseBy(next, message, "GET", nil) })
		if got.Err != nil || got.Facts != want {
			t.Errorf("%q: %+v", message, got)
		}
	}
}

func TestResponseLimits(t *testing.T) {
	for n, want := range map[int]error{39: nil, 40: nil, 41: errHeadTooLarge} {
		message := "HTTP/1.1 200 " + strings.Repeat("a", n-len(statusStart)) + "\r\n\r\n"
		got := sameForAllCuts(t, message, func(next cutter) responseOutcome {
			return responseBy(next, message, "GET", &Limits{RequestLine: 40})
		})
		if got.Err != want {
			t.Errorf("%d: %v", n, got.Err)
		}
	}
	message := "HTTP/1.1 200 OK\r\nX: 1\r\nY: 2\r\n\r\n"
	if got := responseBy(bytewise, message, "GET", &Limits{Fields: 1}); got.Err != errTooManyFields {
		t.Error(got.Err)
	}
	if got := responseBy(bytewise, message, "GET", &Limits{Head: 25}); got.Err != errHeadTooLarge {
		t.Error(got.Err)
	}
}
