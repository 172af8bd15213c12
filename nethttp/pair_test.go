package nethttp_test

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/eddynet/eddy/http1"
)

// onBoth runs a test against net/http's own server and against the engine.
func onBoth(t *testing.T, h http.Handler, test func(t *testing.T, addr string)) {
	t.Run("net/http", func(t *testing.T) { test(t, serveStandard(t, h)) })
	t.Run("engine", func(t *testing.T) { test(t, serveHandler(t, h, http1.Options{}).addr) })
}

func serveStandard(t testing.TB, h http.Handler) string {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.Listener.Addr().String()
}

// dialBoth connects to a server of either kind, with a deadline.
func dialBoth(t testing.TB, addr string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn, bufio.NewReader(conn)
}

// converse sends the bytes of requests, and returns a picture of the answers and of
// the connection's state behind them. It ends with a request for /alive.
func converse(t testing.TB, addr, sent string) string {
	t.Helper()
	conn, r := dialBoth(t, addr)
	if _, err := io.WriteString(conn, sent); err != nil {
		return "cannot send\n"
	}
	var picture strings.Builder
	for rest := sent; rest != ""; {
		var q *http.Request
		if q, rest = nextRequest(t, rest); q == nil {
			q = &http.Request{Method: "GET"} // a broken one is the last
		}
		if !readPicture(&picture, r, q) {
			return picture.String()
		}
	}
	// The server may have closed by now, which is the answer.
	_, _ = io.WriteString(conn, "GET /alive HTTP/1.1\r\nHost: a\r\n\r\n")
	if _, err := http.ReadResponse(r, nil); err != nil {
		return picture.String() + "closed\n"
	}
	return picture.String() + "open\n"
}

func nextRequest(t testing.TB, sent string) (q *http.Request, rest string) {
	r := bufio.NewReader(strings.NewReader(sent))
	q, err := http.ReadRequest(r)
	if err != nil {
		return nil, ""
	}
	if _, err := io.Copy(io.Discard, q.Body); err != nil {
		return q, ""
	}
	behind, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return q, string(behind)
}

// readPicture reads interim answers and the answer, and says whether there may be more.
func readPicture(b *strings.Builder, r *bufio.Reader, q *http.Request) bool {
	for {
		a, err := http.ReadResponse(r, q)
		if err != nil {
			b.WriteString("no answer\n")
			return false
		}
		fmt.Fprintf(b, "%d %s", a.StatusCode, http.StatusText(a.StatusCode))
		if a.StatusCode >= 200 {
			fmt.Fprintf(b, " length=%d %q close=%v", a.ContentLength, a.TransferEncoding, a.Close)
		}
		b.WriteString("\n" + fieldsPicture(a.Header))
		if a.StatusCode < 200 {
			continue
		}
		body, err := io.ReadAll(a.Body)
		fmt.Fprintf(b, "body %q\n", body)
		if err != nil {
			b.WriteString("broken off\n")
			return false
		}
		if len(a.Trailer) > 0 {
			b.WriteString("trailers\n" + fieldsPicture(a.Trailer))
		}
		return true
	}
}

func fieldsPicture(h http.Header) string {
	var lines []string
	for name, values := range h {
		if name == "Date" && len(values) == 1 && values[0] != "mine" {
			values = []string{"(now)"}
		}
		for _, value := range values {
			lines = append(lines, "  "+name+": "+value+"\n")
		}
	}
	sort.Strings(lines)
	return strings.Join(lines, "")
}
