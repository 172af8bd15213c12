//go:build linux

package main

import (
	"errors"
	"strings"
	"testing"
)

// split passes the bytes to a reader in two parts, for every cut.
func split(t *testing.T, make func() reader, in string, want int) {
	t.Helper()
	for cut := range len(in) + 1 {
		r := make()
		first, err := r.read([]byte(in[:cut]))
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		second, err := r.read([]byte(in[cut:]))
		if err != nil || first+second != want {
			t.Fatalf("cut at %d: %d answers, want %d, error %v", cut, first+second, want, err)
		}
	}
}

func TestHTTPAnswersAreCounted(t *testing.T) {
	one := "HTTP/1.1 200 OK\r\nX-Length: 9\r\ncontent-length: 5\r\nDate: x\r\n\r\nhello"
	empty := "HTTP/1.1 204 No Content\r\nContent-Length:0\r\n\r\n"
	split(t, func() reader { return &httpReader{} }, one+empty+one, 3)
}

func TestHTTPAnswersThatDoNotCount(t *testing.T) {
	for _, in := range []string{
		"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX-Content-Length: 5\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", mostHead),
	} {
		if n, err := (&httpReader{}).read([]byte(in)); n != 0 || !errors.Is(err, errStatus) {
			t.Errorf("%.60q: %d answers, error %v", in, n, err)
		}
	}
}

func TestEchoesAreCompared(t *testing.T) {
	split(t, func() reader { return &echoReader{message: []byte("abc")} }, "abcabc", 2)
	if _, err := (&echoReader{message: []byte("abc")}).read([]byte("abd")); !errors.Is(err, errStatus) {
		t.Error("a wrong echo gave", err)
	}
}

func TestUpgradeComesFirst(t *testing.T) {
	r := &upgradeReader{frames: echoReader{message: []byte("ab")}}
	for _, step := range []struct {
		in   string
		want int
	}{
		{"HTTP/1.1 101 Switching", 0},
		{" Protocols\r\nUpgrade: websocket\r\n\r\n", 1},
		{"aba", 1},
		{"b", 1},
	} {
		if n, err := r.read([]byte(step.in)); n != step.want || err != nil {
			t.Fatalf("%q: %d answers, error %v", step.in, n, err)
		}
	}
	if _, err := (&upgradeReader{}).read([]byte("HTTP/1.1 200 OK\r\n\r\n")); !errors.Is(err, errStatus) {
		t.Error("a refused upgrade gave", err)
	}
}
