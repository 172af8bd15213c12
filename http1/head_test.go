package http1_test

import (
	"errors"
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

// TestHeadIsSentAsItWasMade, with what the server adds unless it is told not to.
func TestHeadIsSentAsItWasMade(t *testing.T) {
	add := func(h *http1.Head, fields ...string) *http1.Head {
		for i := 0; i < len(fields); i += 2 {
			if err := h.Add(fields[i], fields[i+1]); err != nil {
				t.Error(err)
			}
		}
		return h
	}
	for _, c := range []struct {
		head *http1.Head
		want []string // names of the fields
		body string
	}{
		{add(&http1.Head{Status: 299}, "X", "1", "x", "2"), []string{"Server", "Date", "X", "x", "Content-Length"}, "body"},
		{add(&http1.Head{Status: 200, NoDate: true, NoServer: true}, "Server", "me", "Date", "Mon, 02 Jan 2006 15:04:05 GMT"),
			[]string{"Server", "Date", "Content-Length"}, "body"},
		{&http1.Head{Status: 200, NoServer: true, Close: true}, []string{"Date", "Connection", "Content-Length"}, "body"},
		{add(&http1.Head{Status: 200}, "Connection", "upgrade", "Upgrade", "x"),
			[]string{"Server", "Date", "Connection", "Upgrade", "Content-Length"}, "body"},
		{&http1.Head{Status: 204}, []string{"Server", "Date"}, ""},
	} {
		s := serve(t, func(w *http1.Response, _ *http1.Request) {
			w.SetHeader("Replaced", "1")
			if err := w.SetHead(c.head); err != nil {
				t.Error(err)
			}
			w.WriteString("body")
		}, http1.Options{})
		for range 2 {
			a := s.get("/", "")
			expect(t, "status", a.status, c.head.Status)
			expect(t, "fields", strings.Join(fieldNames(a), " "), strings.Join(c.want, " "))
			expect(t, "body", string(a.body), c.body)
		}
	}
}

// TestBareHead has nothing that it was not told to have, and no body either.
func TestBareHead(t *testing.T) {
	s := serve(t, func(w *http1.Response, _ *http1.Request) {
		w.SetHead(&http1.Head{Status: 200, NoDate: true, NoServer: true, NoLength: true})
		w.WriteString("no")
	}, http1.Options{})
	for _, method := range []string{"GET", "HEAD"} {
		c := s.dial()
		c.send(method + " / HTTP/1.1\r\nHost: a\r\n\r\n")
		c.reads("HTTP/1.1 200 OK\r\n\r\n")
		c.quiet(2 * time.Millisecond)
	}
}

// TestHeadCannotSplitAnAnswer, nor frame it.
func TestHeadCannotSplitAnAnswer(t *testing.T) {
	var h http1.Head
	for _, f := range [][2]string{{"X\r\nY", "1"}, {"", "1"}, {"X", "1\r\nY: 2"}, {"content-length", "1"}, {"Transfer-Encoding", "chunked"}} {
		var refused *http1.FieldError
		if err := h.Add(f[0], f[1]); !errors.As(err, &refused) {
			t.Errorf("Add(%q): %v", f, err)
		}
	}
	s := serve(t, func(w *http1.Response, _ *http1.Request) {
		w.SetStatus(201)
		for _, status := range []int{-1, 99, 1000} {
			if w.SetHead(&http1.Head{Status: status}) == nil {
				t.Errorf("status %d was taken", status)
			}
		}
	}, http1.Options{})
	expect(t, "status", s.get("/", "").status, 201)
}

// TestInterimAnswers come before the final one, each at once, and not to HTTP/1.0.
func TestInterimAnswers(t *testing.T) {
	links := &http1.Head{Status: http.StatusEarlyHints}
	if err := links.Add("Link", "</a.css>; rel=preload"); err != nil {
		t.Fatal(err)
	}
	proceed := make(chan bool)
	s := serve(t, func(w *http1.Response, r *http1.Request) {
		for range 2 {
			expect(t, "WriteInterim", w.WriteInterim(links), nil)
		}
		for _, status := range []int{100, 101, 200} {
			if w.WriteInterim(&http1.Head{Status: status}) == nil {
				t.Errorf("%d is no interim answer", status)
			}
		}
		d := w.Defer()
		go func() {
			<-proceed
			d.Do(func(w *http1.Response) { expect(t, "WriteInterim in Do", w.WriteInterim(links), nil) })
			d.Respond(func(w *http1.Response) {
				stream := w.Stream()
				expect(t, "WriteInterim in a stream", w.WriteInterim(links), http1.ErrAnswered)
				stream.Finish()
			})
		}()
	}, http1.Options{})
	c := s.dial()
	c.send(get("/"))
	for i := range 3 {
		a := c.answer("GET")
		expect(t, "status", a.status, 103)
		expect(t, "fields", len(a.fields), 1)
		expect(t, "Link", a.field("Link"), "</a.css>; rel=preload")
		if i == 1 {
			c.quiet(5 * time.Millisecond)
			proceed <- true
		}
	}
	expect(t, "status", c.answer("GET").status, 200)
	c = s.dial()
	c.send("GET / HTTP/1.0\r\n\r\n")
	proceed <- true
	expect(t, "status to HTTP/1.0", c.answer("GET").status, 200)
}

// TestHeadOfManyAnswers is made once: what an answer adds is its own.
func TestHeadOfManyAnswers(t *testing.T) {
	var h http1.Head
	for _, f := range [][2]string{{"A", "1"}, {"Connection", "close"}} {
		if err := h.Add(f[0], f[1]); err != nil {
			t.Error(err)
		}
	}
	s := serve(t, func(w *http1.Response, r *http1.Request) {
		if err := w.SetHead(&h); err != nil {
			t.Error(err)
		}
		w.SetStatus(201)
		w.AddHeader("B", string(r.Path()))
	}, http1.Options{})
	for _, path := range []string{"/1", "/2"} {
		a := s.get(path, "")
		expect(t, "status", a.status, 201)
		expect(t, "fields", strings.Join(fieldNames(a), " "), "Server Date A B Connection Content-Length")
		expect(t, "B", a.field("B"), path)
		expect(t, "Connection", a.field("Connection"), "close")
	}
}

// TestDateFollowsTheClock of the loop, which a test moves.
func TestDateFollowsTheClock(t *testing.T) {
	s := inMemory(t, nothing, http1.Options{})
	date := func() time.Time {
		t.Helper()
		at, err := http.ParseTime(s.get("/", "").field("Date"))
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	first := date()
	if d := time.Since(first); d < 0 || d > patience {
		t.Errorf("Date is %v ago", d)
	}
	s.pass(time.Hour)
	if d := date().Sub(first); d < time.Hour || d > time.Hour+patience {
		t.Errorf("%v later after an hour", d)
	}
}
