package loop_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/loop"
)

// date is the one field that differs from answer to answer, in bytes but not in length.
var date = regexp.MustCompile(`\r\nDate: [^\r]*`)

func maskDate(got []byte) []byte {
	return date.ReplaceAllFunc(got, func(field []byte) []byte {
		return append([]byte("\r\nDate: "), bytes.Repeat([]byte("x"), len(field)-len("\r\nDate: "))...)
	})
}

// A pipeline whose requests and bodies are cut at odd places; the last answer closes.
func TestFaultsInHTTP(t *testing.T) {
	large := strings.Repeat("0123456789", 5000)
	handler := func(w *http1.Response, r *http1.Request) {
		switch string(r.Path()) {
		case "/echo":
			_, _ = w.Write(r.Body())
		case "/large":
			_, _ = w.WriteString(large)
		case "/stream":
			s := w.Stream()
			_, _ = s.Write([]byte("one, "))
			_, _ = s.Write([]byte("two"))
			_ = s.Finish()
		}
	}
	body := large[:9000]
	send := []string{
		"GET /large HTTP/1.1\r\nHost: a\r\n\r\nPOST /echo HTTP/1.1\r\nHo",
		"st: a\r\nContent-Length: 9000\r\n\r\n" + body[:4000],
		body[4000:] + "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
		"lo\r\n0\r\n\r\nGET /stream HTTP/1.1\r\nHost: a\r\n",
		"\r\nGET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
	}
	whole := loop.SweepFaults(t, func() loop.Protocol {
		protocol, err := http1.New(handler, http1.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return protocol.Open
	}, send, maskDate)

	answers := bufio.NewReader(bytes.NewReader(whole))
	for i, want := range []string{large, body, "hello", "one, two", large} {
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(answer.Body); err != nil || string(got) != want {
			t.Errorf("answer %d: %d bytes, %v, want %d", i, len(got), err, len(want))
		}
	}
	if _, err := answers.ReadByte(); err != io.EOF {
		t.Errorf("something behind the last answer: %v", err)
	}
}
