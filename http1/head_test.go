package http1_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/eddynet/eddy/http1"
)

// TestDateIsFresh: rule 103: on answers, refusals and streams; also on the first one
// after a rest.
func TestDateIsFresh(t *testing.T) {
	s := serve(t, func(w *http1.Response, r *http1.Request) {
		if string(r.Path()) == "/stream" {
			w.Stream().Finish()
		}
	}, http1.Options{})
	for round := range 3 {
		if round > 0 {
			time.Sleep(700 * time.Millisecond)
		}
		for _, request := range []string{get("/"), get("/stream"), "BAD\r\n", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"} {
			c := s.dial()
			sent := time.Now()
			c.send(request)
			method, _, _ := strings.Cut(request, " ")
			a := c.answer(method)
			date, err := time.Parse(http.TimeFormat, a.field("Date"))
			if err != nil {
				t.Fatal(err)
			}
			if a.field("Date") != date.UTC().Format(http.TimeFormat) {
				t.Errorf("date %q is not in its one form", a.field("Date"))
			}
			// It names the second in which it was written, and lags by less than one.
			if date.Before(sent.Add(-2*time.Second)) || date.After(time.Now().Add(time.Second)) {
				t.Errorf("date %v of an answer between %v and %v", date, sent, time.Now())
			}
			if date.Before(sent.Add(-time.Second).Truncate(time.Second)) {
				t.Errorf("date %v is old: sent at %v", date, sent)
			}
		}
	}
}

func TestServerField(t *testing.T) {
	for option, want := range map[string]string{"": "eddy", "-": "", "probe/1.0 (x)": "probe/1.0 (x)"} {
		s := serve(t, write("x"), http1.Options{ServerName: option})
		expect(t, "Server", s.get("/", "").field("Server"), want)
	}
}
