package nethttp_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/eddynet/eddy/http1"
)

func TestTakesAForm(t *testing.T) {
	file := pattern(5 << 20)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		f, _, err := r.FormFile("file")
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		defer f.Close()
		got, err := io.ReadAll(f)
		fmt.Fprint(w, bytes.Equal(got, file), err, r.FormValue("name"))
	})
	onBoth(t, h, func(t *testing.T, addr string) {
		var form bytes.Buffer
		m := multipart.NewWriter(&form)
		m.WriteField("name", "value")
		part, _ := m.CreateFormFile("file", "f")
		part.Write(file)
		m.Close()
		client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
		a, err := client.Post("http://"+addr+"/", m.FormDataContentType(), &form)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		got, err := io.ReadAll(a.Body)
		expect(t, "answer", string(got), "true <nil>value")
		expect(t, "error", err, nil)
	})
}

// TestHoldsTheClientUp sends 16 MiB to a handler that begins to read late, and
// gets them back, reading late too.
func TestHoldsTheClientUp(t *testing.T) {
	const size = 16 << 20
	data := pattern(size)
	begin := make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-begin
		got, err := io.ReadAll(r.Body)
		if err != nil || sha256.Sum256(got) != sha256.Sum256(data) {
			http.Error(w, fmt.Sprint(len(got), err), 500)
			return
		}
		w.Write(got[:size/2])
		io.Copy(w, bytes.NewReader(got[size/2:]))
	})
	s := serveHandler(t, h, http1.Options{})
	conn, r := dialBoth(t, s.addr)
	sent := make(chan error, 1)
	go func() {
		_, err := conn.Write(append([]byte(fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", size)), data...))
		sent <- err
	}()
	select {
	case <-sent:
		t.Error("16 MiB were taken while nobody read them")
	case <-time.After(100 * time.Millisecond):
	}
	if n := s.engine.Stats().BytesRead; n > 256<<10 {
		t.Errorf("%d bytes were read for a handler that reads none", n)
	}
	close(begin)
	expect(t, "error of sending", await(t, "the body to be sent", sent), nil)
	a, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond) // the server runs into its marks
	got, err := io.ReadAll(a.Body)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("got %d bytes back, %v", len(got), err)
	}
}

// TestContinuesWhenItReads: the client is asked for its body by the first Read.
func TestContinuesWhenItReads(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/read":
			w.WriteHeader(103) // before 100
			b, err := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %v", b, err)
		case "/refuse":
			w.WriteHeader(403)
		case "/explicit":
			w.WriteHeader(100)
			b, _ := io.ReadAll(r.Body)
			w.Write(b)
		}
	})
	onBoth(t, h, func(t *testing.T, addr string) {
		for _, c := range []struct {
			path     string
			statuses []int
			body     string
		}{
			{"/read", []int{103, 100, 200}, "body <nil>"},
			{"/explicit", []int{100, 200}, "body"},
			{"/refuse", []int{403}, ""},
		} {
			conn, r := dialBoth(t, addr)
			io.WriteString(conn, "POST "+c.path+" HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
			for _, status := range c.statuses {
				a, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatal(c.path, err)
				}
				expect(t, c.path, a.StatusCode, status)
				if status == 100 {
					io.WriteString(conn, "body")
				}
				if status < 200 {
					continue
				}
				got, err := io.ReadAll(a.Body)
				expect(t, c.path+" body", string(got), c.body)
				expect(t, c.path+" error", err, nil)
				expect(t, c.path+" closes", a.Close, status == 403)
			}
		}
	})
}

// TestBodyBreaksOff: what a handler reads when the client goes, and when it sends
// nonsense.
func TestBodyBreaksOff(t *testing.T) {
	for _, c := range []struct{ name, head, more, want string }{
		{"length", "Content-Length: 10", "abc", "abc unexpected EOF"},
		{"chunked", "Transfer-Encoding: chunked", "3\r\nabc\r\n", "abc unexpected EOF"},
		{"malformed", "Transfer-Encoding: chunked", "3\r\nabc\r\nzz\r\n", "abc 400"},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen := make(chan string, 2)
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b, err := io.ReadAll(r.Body)
				text := fmt.Sprint(err)
				if c.name == "malformed" && !errors.Is(err, io.ErrUnexpectedEOF) && err != nil {
					text = "400" // its words are the parser's
				}
				seen <- fmt.Sprintf("%s %s", b, text)
				<-r.Context().Done()
				seen <- "context " + r.Context().Err().Error()
			})
			s := serveHandler(t, h, http1.Options{})
			conn, r := dialBoth(t, s.addr)
			io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\n"+c.head+"\r\n\r\n"+c.more)
			if c.name == "malformed" {
				a, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatal(err)
				}
				expect(t, "status", a.StatusCode, 400)
			} else {
				time.Sleep(5 * time.Millisecond)
				conn.Close()
			}
			expect(t, "read", await(t, "the handler's read", seen), c.want)
			expect(t, "context", await(t, "the end of the context", seen), "context context canceled")
		})
	}
}

// TestBodyOfAClientThatStopsSending has come whole, though the client counts as
// gone.
func TestBodyOfAClientThatStopsSending(t *testing.T) {
	const size = 1 << 20
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(20 * time.Millisecond) // the end is behind what is not read
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, err)
	})
	onBoth(t, h, func(t *testing.T, addr string) {
		conn, r := dialBoth(t, addr)
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", size)
		conn.Write(pattern(size))
		conn.(*net.TCPConn).CloseWrite()
		a, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(a.Body)
		expect(t, "answer", string(got), fmt.Sprint(size, nil))
	})
}

func TestReadDeadline(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if err := c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
			panic(err)
		}
		_, err := io.ReadAll(r.Body)
		fmt.Fprint(w, errors.Is(err, os.ErrDeadlineExceeded))
	})
	onBoth(t, h, func(t *testing.T, addr string) {
		conn, r := dialBoth(t, addr)
		io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
		a, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(a.Body)
		expect(t, "timed out", string(got), "true")
	})
}

// TestFullDuplex answers every line before the next one comes.
func TestFullDuplex(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if err := c.EnableFullDuplex(); err != nil {
			panic(err)
		}
		b := make([]byte, 100)
		for {
			n, err := r.Body.Read(b)
			w.Write(bytes.ToUpper(b[:n]))
			if err != nil {
				return
			}
			c.Flush()
		}
	})
	onBoth(t, h, func(t *testing.T, addr string) {
		conn, r := dialBoth(t, addr)
		io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
		var body io.Reader
		for _, line := range []string{"one", "two", "six"} {
			fmt.Fprintf(conn, "3\r\n%s\r\n", line)
			if body == nil {
				a, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatal(err)
				}
				body = a.Body
			}
			got := make([]byte, 3)
			if _, err := io.ReadFull(body, got); err != nil {
				t.Fatal(err)
			}
			expect(t, "echo", string(got), strings.ToUpper(line))
		}
		io.WriteString(conn, "0\r\n\r\n")
		rest, err := io.ReadAll(body)
		expect(t, "rest", string(rest), "")
		expect(t, "error", err, nil)
	})
}

// TestLimitsTheBody by Options.MaxBodyBytes only if it is set.
func TestLimitsTheBody(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	})
	sent := "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n" + strings.Repeat("x", 5000000)
	for limit, status := range map[int64]int{0: 200, 1000: 413} {
		s := serveHandler(t, h, http1.Options{MaxBodyBytes: limit})
		conn, r := dialBoth(t, s.addr)
		go io.WriteString(conn, sent)
		a, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, "status", a.StatusCode, status)
	}
}
