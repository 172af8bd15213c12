package http1_test

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/eddynet/eddy/http1"
)

// differences are the rules by which net/http accepts what we refuse, or the other
// way round. It has its reasons, we have ours; everything else must agree.
var differences = map[int]string{
	2:  "it takes a target without an authority, or with user information",
	4:  "it answers OPTIONS * itself",
	5:  "it takes * with any method",
	6:  "CONNECT is a request like others to it",
	7:  "and its target is a URL like others",
	8:  "so a:80 has the scheme a",
	9:  "it leaves a fragment in the target",
	10: "it takes the bytes from 80 on in a target",
	21: "it lets the handler see the preface of HTTP/2",
	22: "it bounds the head as a whole, at 1 MiB",
	23: "the same",
	24: "it takes no empty line before the first request",
	25: "it takes LF for the end of a line",
	27: "the same",
	30: "the same",
	32: "it joins folded lines",
	37: "it takes LF for the end of a line",
	43: "it bounds the head as a whole, at 1 MiB",
	46: "it looks at the bytes of a host, not at its form",
	47: "it takes an empty host",
	52: "it takes equal lengths for one",
	62: "it drops the length",
	63: "it drops the coding in HTTP/1.0",
	73: "it joins folded lines",
	77: "it trims a size at its end, but not in front of an extension",
	79: "it does not look into extensions",
	80: "the same",
	83: "its bounds are others",
	86: "it drops what no trailer may hold",
	87: "its bounds are others, it joins folded lines, and trims names",
	88: "it drops a Host in the trailers",
	94: "it answers 417 to HTTP/1.0 too",
}

// normal is what two servers can agree on about a request.
func normal(method, target, host, body string, fields, trailers []string) string {
	slices.Sort(fields)
	slices.Sort(trailers)
	return fmt.Sprintf("%s %s host=%s body=%q fields=%q trailers=%q", method, target, host, body, fields, trailers)
}

// framingFields are taken out by net/http, in part.
func isFraming(name string) bool {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Host", "Content-Length", "Transfer-Encoding", "Connection":
		return true
	}
	return false
}

func normalHere(w *http1.Response, r *http1.Request) {
	list := func(all func(func([]byte, []byte) bool)) (lines []string) {
		for name, value := range all {
			if !isFraming(string(name)) {
				lines = append(lines, textproto.CanonicalMIMEHeaderKey(string(name))+": "+string(value))
			}
		}
		return lines
	}
	w.WriteString(normal(string(r.Method()), string(r.Target()), string(r.Host()), string(r.Body()), list(r.Fields()), list(r.Trailers())))
}

func normalThere(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest) // it finds out only here
		return
	}
	list := func(all http.Header) (lines []string) {
		for name, values := range all {
			for _, value := range values {
				if !isFraming(name) {
					lines = append(lines, name+": "+value)
				}
			}
		}
		return lines
	}
	io.WriteString(w, normal(r.Method, r.RequestURI, r.Host, string(body), list(r.Header), list(r.Trailer)))
}

// TestAgreesWithNetHTTP sends every row of the table that is one request to net/http
// too. What both accept, they must understand alike.
func TestAgreesWithNetHTTP(t *testing.T) {
	peer := &http.Server{Handler: http.HandlerFunc(normalThere), ErrorLog: log.New(io.Discard, "", 0)}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go peer.Serve(ln)
	t.Cleanup(func() { peer.Close() })
	there := &server{t: t, addr: ln.Addr().String()}
	here := serve(t, normalHere, http1.Options{})

	var work sync.WaitGroup
	var mu sync.Mutex
	differ := map[int]bool{}
	agreed := 0
	tickets := make(chan struct{}, 64)
	for _, r := range readTable(t).rows {
		if r.fin || len(r.statuses) != 1 || r.statuses[0] == 417 {
			continue
		}
		work.Go(func() {
			tickets <- struct{}{}
			defer func() { <-tickets }()
			mine, err := here.understood(r.sent)
			theirs, err2 := there.understood(r.sent)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil || err2 != nil:
				t.Errorf("%s: %v, %v", r.name, err, err2)
			case mine == theirs:
				agreed++
			case mine == "" || theirs == "":
				differ[r.rule] = true
				if differences[r.rule] == "" {
					t.Errorf("%s: %.100q: here %.200q, there %.200q", r.name, r.sent, mine, theirs)
				}
			default:
				t.Errorf("%s: %.100q is understood as\n%s\nhere, and there as\n%s", r.name, r.sent, mine, theirs)
			}
		})
	}
	work.Wait()
	for rule := range differences {
		if !differ[rule] {
			t.Logf("rule %d: no difference any more", rule)
		}
	}
	t.Logf("%d rows agreed", agreed)
}

// understood sends a request, and returns how it was understood: nothing if it was
// refused, or left without an answer.
func (s *server) understood(request string) (string, error) {
	conn, err := s.connect()
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		return "", nil // refused, and closed in a hurry
	}
	if err := conn.CloseWrite(); err != nil {
		return "", nil // the same
	}
	method, _, _ := strings.Cut(strings.TrimLeft(request, "\r\n"), " ")
	res, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil || res.StatusCode != http.StatusOK {
		return "", nil // refused, in a hurry or not
	}
	body, err := io.ReadAll(res.Body)
	if method == "HEAD" {
		return "no content", err
	}
	return string(body), err
}
