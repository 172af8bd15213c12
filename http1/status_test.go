package http1_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/eddynet/eddy/http1"
)

// statusFromQuery answers with the status that the query asks for, and a body.
func statusFromQuery(w *http1.Response, r *http1.Request) {
	code, err := strconv.Atoi(string(r.Query()))
	if err == nil {
		err = w.SetStatus(code)
	}
	if err != nil {
		panic(err)
	}
	w.WriteString("a body")
}

// TestReasonsAreThoseOfRFC9110, where net/http has older ones.
func TestReasonsAreThoseOfRFC9110(t *testing.T) {
	s := inMemory(t, statusFromQuery, http1.Options{})
	for code, want := range map[int]string{
		200: "OK", 413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable",
		422: "Unprocessable Content", 431: "Request Header Fields Too Large", 599: "",
	} {
		c := s.dial()
		c.send(get("/?" + strconv.Itoa(code)))
		line, err := c.r.ReadString('\n')
		expect(t, "error", err, nil)
		expect(t, "status line", line, fmt.Sprintf("HTTP/1.1 %d %s\r\n", code, want))
	}
}

// TestHeadHasTheFieldsOfGet: rule 96.
func TestHeadHasTheFieldsOfGet(t *testing.T) {
	s := inMemory(t, func(w *http1.Response, r *http1.Request) {
		w.SetHeader("X", "1")
		if string(r.Path()) == "/big" {
			w.Write(make([]byte, 100<<10))
		}
		w.WriteString("a body")
	}, http1.Options{})
	for _, target := range []string{"/", "/big"} {
		c := s.dial()
		c.send(get(target) + "HEAD " + target + " HTTP/1.1\r\nHost: a\r\n\r\n" + get(target))
		a, head, again := c.answer("GET"), c.answer("HEAD"), c.answer("GET")
		for _, b := range []*answer{head, again} {
			expect(t, "status", b.status, a.status)
			for _, name := range []string{"X", "Content-Length", "Server"} {
				expect(t, name, b.field(name), a.field(name))
			}
		}
		expect(t, "length", a.field("Content-Length"), strconv.Itoa(len(a.body)))
	}
}

// TestStatusesWithoutABody: rule 97. The handler writes a body all the same. What
// follows on the connection would show if a byte of it were sent.
func TestStatusesWithoutABody(t *testing.T) {
	s := inMemory(t, statusFromQuery, http1.Options{})
	streamed := inMemory(t, func(w *http1.Response, r *http1.Request) {
		code, _ := strconv.Atoi(string(r.Query()))
		w.SetStatus(code)
		stream := w.Stream()
		stream.Write([]byte("a body"))
		if err := stream.Finish(); err != nil {
			t.Error(err)
		}
	}, http1.Options{})
	for _, s := range []*server{s, streamed} {
		for code, length := range map[int]string{204: "", 205: "0", 304: ""} {
			c := s.dial()
			for range 2 {
				c.send(get("/?"+strconv.Itoa(code)) + get("/?200"))
				a := c.answer("GET")
				expect(t, "status", a.status, code)
				expect(t, "Content-Length", a.field("Content-Length"), length)
				expect(t, "Transfer-Encoding", a.field("Transfer-Encoding"), "")
				expect(t, "body", string(a.body), "")
				expect(t, "body behind it", string(c.answer("GET").body), "a body")
			}
		}
	}
}

// TestStatusLineWithoutAReason: rule 104.
func TestStatusLineWithoutAReason(t *testing.T) {
	s := inMemory(t, statusFromQuery, http1.Options{})
	expect(t, "status line", s.get("/?299", "").line, "HTTP/1.1 299 ")
	expect(t, "status line", s.get("/?404", "").line, "HTTP/1.1 404 Not Found")
	expect(t, "status line", s.get("/?599", "").line, "HTTP/1.1 599 ")
}

func TestStatusOutOfRange(t *testing.T) {
	s := inMemory(t, func(w *http1.Response, _ *http1.Request) {
		w.SetStatus(201)
		for _, code := range []int{-1, 0, 99, 100, 101, 199, 600, 999, 1000, math.MaxInt32} {
			if err := w.SetStatus(code); err == nil {
				t.Errorf("status %d was taken", code)
			}
		}
		for _, code := range []int{200, 299, 300, 404, 599} {
			if err := w.SetStatus(code); err != nil {
				t.Error(err)
			}
		}
		w.SetStatus(201)
		w.SetStatus(0)
	}, http1.Options{})
	expect(t, "status", s.get("/", "").status, 201)
}

// TestConnectReachesTheHandlerWhereItIsAllowed: rules 6 and 99.
func TestConnectReachesTheHandlerWhereItIsAllowed(t *testing.T) {
	s := inMemory(t, func(w *http1.Response, r *http1.Request) {
		w.SetHeader("X-Saw", fmt.Sprintf("%s %q %q", r.Target(), r.Path(), r.Host()))
		if string(r.Host()) == "refused:1" {
			w.SetStatus(403)
			w.WriteString("no")
		}
	}, http1.Options{AllowConnect: true})
	c := s.dial()
	c.send("CONNECT refused:1 HTTP/1.1\r\nHost: a\r\n\r\n")
	a := c.answer("CONNECT")
	expect(t, "status", a.status, 403)
	expect(t, "body", string(a.body), "no")
	c = s.dial()
	c.send("CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n")
	a = c.answer("CONNECT")
	expect(t, "status", a.status, 200)
	expect(t, "seen", a.field("X-Saw"), `b:443 "" "b:443"`)
}

// TestAnswersHaveOneLength: a handler that writes in pieces, or nothing.
func TestAnswersHaveOneLength(t *testing.T) {
	s := inMemory(t, func(w *http1.Response, r *http1.Request) {
		for i := range len(r.Query()) {
			w.Write(r.Query()[i : i+1])
		}
	}, http1.Options{})
	for _, body := range []string{"", "x", "xyz"} {
		a := s.get("/?"+body, "")
		expect(t, "body", string(a.body), body)
		if !slices.Equal(a.all("Content-Length"), []string{strconv.Itoa(len(body))}) {
			t.Errorf("lengths %q", a.all("Content-Length"))
		}
	}
}
