package http1_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/httpparse"
)

// early is a handler for Options.OnHead that answers /refused before the body comes.
func early(w *http1.Response, r *http1.Request) {
	if string(r.Path()) == "/refused" {
		w.SetStatus(403)
		w.WriteString("no")
		w.Finish()
	}
}

func postOf(target, fields string, n int) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\n%sContent-Length: %d\r\n\r\n", target, fields, n)
}

// TestUnreadBodyIsDiscarded: rule 111: the answer comes first, the body is dropped, the
// connection goes on.
func TestUnreadBodyIsDiscarded(t *testing.T) {
	s := inMemory(t, describe, http1.Options{OnHead: early, MaxDiscardBytes: 1000})
	body := strings.Repeat("x", 1000)
	head := postOf("/refused", "", len(body))
	c := s.dial()
	for range 2 {
		c.send(head)
		a := c.answer("POST")
		expect(t, "status", a.status, 403)
		expect(t, "Connection", a.field("Connection"), "")
		c.send(body + after)
		expect(t, "status behind it", c.answer("GET").status, 200)
		c.send(head + body + after) // all at once
		expect(t, "status", c.answer("POST").status, 403)
		expect(t, "status behind it", c.answer("GET").status, 200)
	}
}

// TestUnreadBodyWithoutABoundCloses: rule 111: the answer says so. The end of a chunked
// body is not known.
func TestUnreadBodyWithoutABoundCloses(t *testing.T) {
	s := inMemory(t, describe, http1.Options{OnHead: early, MaxDiscardBytes: 1000})
	body := strings.Repeat("x", 1001)
	for _, request := range [][2]string{
		{postOf("/refused", "", len(body)), body},
		{strings.Replace(postChunked, "/ ", "/refused ", 1), "3e9\r\n" + body + "\r\n0\r\n\r\n"},
	} {
		c := s.dial()
		c.send(request[0])
		a := c.answer("POST")
		expect(t, "status", a.status, 403)
		expect(t, "Connection", a.field("Connection"), "close")
		c.send(request[1] + after)
		c.closed()
	}
}

// TestBadBodyBehindTheAnswerCloses: it is not taken for the next request.
func TestBadBodyBehindTheAnswerCloses(t *testing.T) {
	s := inMemory(t, describe, http1.Options{OnHead: early})
	c := s.dial()
	c.send(strings.Replace(postChunked, "/ ", "/refused ", 1))
	expect(t, "status", c.answer("POST").status, 403)
	c.send("xyz\r\n" + after)
	c.closed()
}

// TestFinalAnswerInPlaceOfContinue: rule 93: whether the body will come is unknown, so
// the connection ends.
func TestFinalAnswerInPlaceOfContinue(t *testing.T) {
	s := inMemory(t, describe, http1.Options{OnHead: early})
	c := s.dial()
	c.send(postOf("/refused", "Expect: 100-continue\r\n", 5))
	a := c.answer("POST")
	expect(t, "status", a.status, 403)
	expect(t, "Connection", a.field("Connection"), "close")
	c.closed()

	c = s.dial()
	c.send(postOf("/", "Expect: 100-continue\r\n", 5))
	expect(t, "status", c.answer("POST").status, 100)
	c.send("hello")
	expect(t, "status", c.answer("POST").status, 200)
}

// pending has what gatherPieces has gathered, by *http1.Request.
var pending sync.Map

// gatherPieces collects the body piece by piece, and answers with it and the number
// of calls for its end.
func gatherPieces(_ *http1.Response, r *http1.Request) {
	var body strings.Builder
	ends := 0
	r.OnBody(func(chunk []byte, err error) {
		body.Write(chunk)
		if err == io.EOF {
			ends++
			pending.Store(r, fmt.Sprintf("%d %s", ends, body.String()))
		}
	})
}

// TestBodyInPieces: they make up the body, and the end is told once.
func TestBodyInPieces(t *testing.T) {
	s := inMemory(t, func(w *http1.Response, r *http1.Request) {
		if len(r.Body()) > 0 {
			t.Error("the body is there a second time")
		}
		text, _ := pending.LoadAndDelete(r)
		w.WriteString(text.(string))
	}, http1.Options{OnHead: gatherPieces})
	for _, request := range [][3]string{
		{postOf("/", "", 10), "hello", "world"},
		{postChunked, "5\r\nhello\r\n2;a\r\nwo\r\n3\r", "\nrld\r\n0\r\nT: 1\r\n\r\n"},
	} {
		c := s.dial()
		c.send(request[0])
		c.send(request[1])
		c.send(request[2])
		expect(t, "body", string(c.answer("POST").body), "1 helloworld")
		c.send(strings.Join(request[:], "") + strings.Join(request[:], ""))
		for range 2 {
			expect(t, "body sent whole", string(c.answer("POST").body), "1 helloworld")
		}
	}
}

// TestBodyInPiecesKeepsTheRules: limit, framing and deadline.
func TestBodyInPiecesKeepsTheRules(t *testing.T) {
	s := inMemory(t, func(*http1.Response, *http1.Request) { t.Error("the handler was called") },
		http1.Options{OnHead: gatherPieces, MaxBodyBytes: 10, ReadTimeout: shortly})
	for request, status := range map[string]int{
		postOf("/", "", 11): 413,
		postChunked + "6\r\nhello \r\n5\r\nworld\r\n0\r\n":    413,
		postChunked + "5\r\nhello!!":                          400,
		postChunked + "5\r\nhello\r\n0\r\nHost: b\r\n\r\n":    400,
		postChunked + "5\r\nhello\r\n0\r\nX : not a name\r\n": 400,
		postOf("/", "", 10) + "hello":                         408,
	} {
		c := s.dial()
		c.send(request)
		if status == 408 {
			c.quietFor(shortly)
		}
		expect(t, fmt.Sprintf("status of %q", request), c.answer("POST").status, status)
		c.closed()
	}
}

// TestPanicBeforeTheBody: in OnHead and in OnBody.
func TestPanicBeforeTheBody(t *testing.T) {
	s := inMemory(t, write("good"), http1.Options{OnHead: func(_ *http1.Response, r *http1.Request) {
		switch string(r.Path()) {
		case "/head":
			panic("on purpose")
		case "/body":
			r.OnBody(func([]byte, error) { panic("on purpose") })
		}
	}})
	for _, target := range []string{"/head", "/body"} {
		c := s.dial()
		c.send(get("/1") + postOf(target, "", 5) + "hello" + after)
		expect(t, "status before", c.answer("GET").status, 200)
		expect(t, "status", c.answer("POST").status, 500)
		c.closed()
	}
	expect(t, "body of another", string(s.get("/", "").body), "good")
}

// TestPausedBodyWaits: nothing is delivered until the program resumes.
func TestPausedBodyWaits(t *testing.T) {
	const size = 4 << 20
	got := 0
	s := serve(t, func(w *http1.Response, r *http1.Request) { fmt.Fprint(w, got) },
		http1.Options{MaxBodyBytes: size, OnHead: func(w *http1.Response, r *http1.Request) {
			paused := false
			r.OnBody(func(chunk []byte, err error) {
				if paused {
					t.Error("a piece came during a pause")
				}
				got += len(chunk)
				if err != nil {
					return
				}
				paused = true
				r.PauseBody()
				w.Loop().After(time.Millisecond, func() {
					paused = false
					r.ResumeBody()
				})
			})
		}})
	c := s.dial()
	c.send(postOf("/", "", size) + strings.Repeat("x", size))
	expect(t, "bytes", string(c.answer("POST").body), fmt.Sprint(size))
	c.send(after)
	expect(t, "status behind it", c.answer("GET").status, 200)
}

// TestBodyThatDoesNotCome: OnBody gets the reason, once.
func TestBodyThatDoesNotCome(t *testing.T) {
	ends := make(chan error, 10)
	s := inMemory(t, func(*http1.Response, *http1.Request) { t.Error("the handler was called") },
		http1.Options{ReadTimeout: shortly, MaxBodyBytes: 100, OnHead: func(w *http1.Response, r *http1.Request) {
			r.OnBody(func(_ []byte, err error) {
				if err != nil {
					ends <- err
				}
			})
			if string(r.Path()) == "/stream" {
				w.Stream()
			}
		}})
	var broken *httpparse.Error
	for name, c := range map[string]struct {
		sent  string
		leave func(*client)
		is    func(error) bool
	}{
		"gone":      {postOf("/", "", 10) + "hello", (*client).breakOff, func(err error) bool { return err == io.ErrUnexpectedEOF }},
		"half":      {postOf("/", "", 10) + "hello", func(c *client) { c.conn.CloseWrite() }, func(err error) bool { return err == io.ErrUnexpectedEOF }},
		"slow":      {postOf("/", "", 10) + "hello", nil, func(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }},
		"malformed": {postChunked + "hello", nil, func(err error) bool { return errors.As(err, &broken) }},
		"malformed behind the head of the answer": {strings.Replace(postChunked, "/", "/stream", 1) + "hello", nil,
			func(err error) bool { return errors.As(err, &broken) }},
		"too large": {postChunked + "fff\r\n", nil, func(err error) bool { return err != nil }},
	} {
		t.Run(name, func(t *testing.T) {
			client := s.dial()
			client.send(c.sent)
			if c.leave != nil {
				c.leave(client)
			}
			s.pass(shortly + time.Millisecond)
			if err := await(t, "the end of the body", ends); !c.is(err) {
				t.Errorf("the body ends with %v", err)
			}
			client.conn.Close()
			if len(ends) > 0 {
				t.Errorf("and then with %v", <-ends)
			}
		})
	}
}

// TestPausedBodyIsNotAskedFor: a client that waits for 100 Continue gets it when the body
// is resumed.
func TestPausedBodyIsNotAskedFor(t *testing.T) {
	resume := make(chan func(), 1)
	s := inMemory(t, echoBody, http1.Options{OnHead: func(w *http1.Response, r *http1.Request) {
		r.PauseBody()
		l := w.Loop()
		resume <- func() { l.Post(r.ResumeBody) }
	}})
	for _, early := range []string{"", "he"} { // a client that does not wait is not asked
		c := s.dial()
		c.send(expectFive + early)
		c.quiet(time.Second)
		await(t, "the head", resume)()
		if early == "" {
			expect(t, "first status", c.answer("POST").status, 100)
		}
		c.send("hello"[len(early):])
		expect(t, "body", string(c.answer("POST").body), "hello")
	}
	c := s.dial() // a body that is empty ends after the pause
	c.send(get("/"))
	c.quiet(10 * time.Millisecond)
	await(t, "the head", resume)()
	expect(t, "status", c.answer("GET").status, 200)
}

// TestBodyInMemoryOfTheProgram: it is read into the memory, where there is some.
func TestBodyInMemoryOfTheProgram(t *testing.T) {
	const size = 300_000
	var body []byte
	var given []byte
	inPlace, calls := 0, 0
	s := inMemory(t, func(w *http1.Response, r *http1.Request) { fmt.Fprintf(w, "%x %v", sha256Of(body), inPlace > 0) },
		http1.Options{OnHead: func(_ *http1.Response, r *http1.Request) {
			r.OnBody(func(chunk []byte, err error) {
				if given != nil && len(chunk) > 0 && &chunk[0] != &given[0] {
					t.Error("the chunk is somewhere else")
				}
				if given != nil {
					inPlace += len(chunk)
				}
				given = nil
				body = append(body, chunk...)
			})
			r.OnBodyBuffer(func(left int64) []byte {
				if left != size-int64(len(body)) {
					t.Errorf("%d bytes left of %d, of which %d have come", left, size, len(body))
				}
				if calls++; calls%2 == 0 {
					given = make([]byte, 50_000)
				}
				return given
			})
		}})
	c := s.dial()
	data := string(pattern(size))
	c.send(postOf("/", "", size))
	for i := 0; i < size; i += 20_000 {
		c.send(data[i : i+20_000])
	}
	expect(t, "body", string(c.answer("POST").body), fmt.Sprintf("%x true", sha256Of([]byte(data))))
}

// TestRefuse answers in OnHead as the server does, and counts it.
func TestRefuse(t *testing.T) {
	s := inMemory(t, write("served"), http1.Options{OnHead: func(w *http1.Response, r *http1.Request) {
		expect(t, "handled before", w.Handled(), false)
		expect(t, "discardable", r.Discardable(), string(r.Path()) != "/chunked")
		if string(r.Path()) != "/" {
			w.SetHeader("X", "1")
			w.Refuse(400)
			expect(t, "handled after", w.Handled(), true)
		}
	}})
	for _, request := range []string{get("/refused"), strings.Replace(postChunked, "/", "/chunked", 1) + "0\r\n\r\n"} {
		c := s.dial()
		c.send(request)
		a := c.answer("POST")
		expect(t, "status", a.status, 400)
		expect(t, "body", string(a.body), "Bad Request\n")
		expect(t, "Connection", a.field("Connection"), "close")
		expect(t, "X", a.field("X"), "")
		c.closed()
	}
	expect(t, "status of another", s.get("/", "").status, 200)
	s.counts(http1.Stats{Requests: 3, Responses: [6]uint64{2: 1, 4: 2}, Refused: map[int]uint64{400: 2}})
}

// TestDrop ends the connection without an answer, or in the middle of one.
func TestDrop(t *testing.T) {
	s := inMemory(t, func(w *http1.Response, r *http1.Request) {
		if string(r.Path()) == "/stream" {
			w.Stream().Write([]byte("hello"))
		}
		w.Drop()
	}, http1.Options{})
	c := s.dial()
	c.send(get("/") + get("/"))
	c.closed()
	c = s.dial()
	c.send(get("/stream"))
	text, err := io.ReadAll(c.r)
	expect(t, "error", err, nil)
	if !strings.HasSuffix(string(text), "5\r\nhello\r\n") {
		t.Errorf("got %q: the end is missing, but not what was sent", text)
	}
	c = s.dial()
	c.send("GET /stream HTTP/1.0\r\n\r\n")
	if a, err := c.read("GET"); err == nil {
		t.Errorf("the client takes %q for the whole", a.body)
	}
}
