package common

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"
)

func TestCheapAnswersWholeHeads(t *testing.T) {
	h := NewCheap("test")
	in := "GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\nGET /json HTTP/1.1\r\n\r\nGET /spin?us=1 HTTP/1.1\r\n\r\nGET /x HTTP/1.1\r\n\r\nGET /pl"
	out, used := h.Answer(nil, []byte(in))
	if used != len(in)-len("GET /pl") {
		t.Errorf("%d bytes were used", used)
	}
	r := bufio.NewReader(bytes.NewReader(out))
	for _, want := range []struct {
		status     int
		kind, body string
	}{
		{200, "text/plain", Text},
		{200, "application/json", `{"message":"Hello, World!"}`},
		{200, "text/plain", Spun},
		{404, "text/plain", ""},
	} {
		a, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(a.Body)
		if err != nil || a.StatusCode != want.status || string(body) != want.body || a.Header.Get("Content-Type") != want.kind {
			t.Errorf("%d %q %q %v", a.StatusCode, body, a.Header, err)
		}
		if date, err := http.ParseTime(a.Header.Get("Date")); err != nil || time.Since(date).Abs() > 5*time.Second {
			t.Error("Date:", a.Header.Get("Date"))
		}
	}
}

func TestNumber(t *testing.T) {
	for query, want := range map[string]int{"n=12": 12, "ms=200": 200, "": 0, "n=x": 0, "n": 0} {
		if got := Number(query); got != want {
			t.Errorf("%q gave %d, want %d", query, got, want)
		}
	}
}

func TestBigIsBounded(t *testing.T) {
	big := Big()
	for n, want := range map[int]int{5: 5, -1: 0, BigMost + 1: BigMost} {
		if got := len(big(n)); got != want {
			t.Errorf("%d gave %d bytes, want %d", n, got, want)
		}
	}
}
