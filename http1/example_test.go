package http1_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/httpparse"
)

// begin serves on a free port: it takes what http1.New returns.
func begin(server *http1.Server, err error) (url string, stop func()) {
	if err != nil {
		log.Fatal(err)
	}
	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := engine.Listen("tcp", "127.0.0.1:0", server.Open)
	if err != nil {
		log.Fatal(err)
	}
	go engine.Run(context.Background())
	return "http://" + ln.Addr().String(), func() {
		http.DefaultClient.CloseIdleConnections()
		engine.Shutdown(context.Background())
	}
}

// show prints what a client gets.
func show(answer *http.Response, err error) {
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s\n", answer.Status, body)
}

// A handler gathers an answer, which is sent with its length when it returns.
func ExampleHandler() {
	handler := func(w *http1.Response, r *http1.Request) {
		switch string(r.Path()) {
		case "/hello":
			w.SetHeader("Content-Type", "text/plain; charset=utf-8")
			fmt.Fprintf(w, "Hello, %s!", r.Query())
		default:
			w.SetStatus(http.StatusNotFound)
			w.WriteString("try /hello")
		}
	}
	url, stop := begin(http1.New(handler, http1.Options{}))
	defer stop()
	show(http.Get(url + "/hello?eddy"))
	show(http.Get(url + "/"))
	// Output:
	// 200 OK: Hello, eddy!
	// 404 Not Found: try /hello
}

// New checks the options of a server, which is then given to Listen.
func ExampleServer() {
	hello := func(w *http1.Response, r *http1.Request) { w.WriteString("Hello, World!") }
	_, err := http1.New(hello, http1.Options{Limits: httpparse.Limits{Fields: -1}})
	fmt.Println(err)
	// Output: http1: Options.Limits.Fields is -1: it must not be negative; 0 means the default, 128
}

func ExampleOptions() {
	echo := func(w *http1.Response, r *http1.Request) { w.Write(r.Body()) }
	url, stop := begin(http1.New(echo, http1.Options{
		MaxBodyBytes: 10,
		IdleTimeout:  30 * time.Second,
		ServerName:   "-", // no field Server
	}))
	defer stop()
	show(http.Post(url, "text/plain", strings.NewReader("ten bytes.")))
	show(http.Post(url, "text/plain", strings.NewReader("eleven byte")))
	// Output:
	// 200 OK: ten bytes.
	// 413 Content Too Large: Content Too Large
}

// OnHead sees a request before its body has come, and may refuse it. A client that
// expects 100 Continue then never sends the body.
func ExampleOptions_early() {
	store := func(w *http1.Response, r *http1.Request) { w.WriteString("stored") }
	url, stop := begin(http1.New(store, http1.Options{
		OnHead: func(w *http1.Response, r *http1.Request) {
			if len(r.Header("Authorization")) == 0 {
				w.SetStatus(http.StatusUnauthorized)
				w.SetHeader("WWW-Authenticate", "Basic")
				w.WriteString("who are you?")
				w.Finish() // the handler is not called
			}
		},
	}))
	defer stop()
	show(http.Post(url, "text/plain", strings.NewReader("text")))
	// Output: 401 Unauthorized: who are you?
}

// What a request's methods return is a view, valid until the handler returns.
func ExampleRequest() {
	handler := func(w *http1.Response, r *http1.Request) {
		fmt.Fprintf(w, "%s %s with %s\n", r.Method(), r.Path(), r.Body())
		for name, value := range r.Fields() {
			if bytes.HasPrefix(name, []byte("Content-")) {
				fmt.Fprintf(w, "%s is %s\n", name, value)
			}
		}
	}
	url, stop := begin(http1.New(handler, http1.Options{}))
	defer stop()
	show(http.Post(url+"/notes?q=1", "text/plain", strings.NewReader("a note")))
	// Output:
	// 200 OK: POST /notes with a note
	// Content-Length is 6
	// Content-Type is text/plain
}

// An upload goes through a hash as it comes. It is never held as a whole, so it may
// be larger than Options.MaxBodyBytes.
func ExampleRequest_OnBody() {
	onHead := func(w *http1.Response, r *http1.Request) {
		r.SetMaxBody(1 << 30)
		hash := sha256.New()
		r.OnBody(func(chunk []byte, err error) {
			hash.Write(chunk)
			if err == io.EOF {
				fmt.Fprintf(w, "%.4x", hash.Sum(nil))
			}
		})
	}
	afterwards := func(w *http1.Response, r *http1.Request) {} // the answer is written
	url, stop := begin(http1.New(afterwards, http1.Options{OnHead: onHead}))
	defer stop()
	show(http.Post(url, "text/plain", strings.NewReader("hello")))
	// Output: 200 OK: 2cf24dba
}

// Early hints tell a browser what to fetch while the answer is made.
func ExampleHead() {
	hints := http1.Head{Status: http.StatusEarlyHints}
	if err := hints.Add("Link", "</style.css>; rel=preload"); err != nil {
		log.Fatal(err)
	}
	handler := func(w *http1.Response, r *http1.Request) {
		w.WriteInterim(&hints)
		w.WriteString("done")
	}
	url, stop := begin(http1.New(handler, http1.Options{}))
	defer stop()
	trace := &httptrace.ClientTrace{Got1xxResponse: func(status int, h textproto.MIMEHeader) error {
		fmt.Println(status, h.Get("Link"))
		return nil
	}}
	r := newRequest(url)
	show(http.DefaultClient.Do(r.WithContext(httptrace.WithClientTrace(r.Context(), trace))))
	// Output:
	// 103 </style.css>; rel=preload
	// 200 OK: done
}

func ExampleResponse() {
	handler := func(w *http1.Response, r *http1.Request) {
		w.SetStatus(http.StatusSeeOther)
		w.SetHeader("Location", "/elsewhere")
		w.AddHeader("Set-Cookie", "a=1")
		w.AddHeader("Set-Cookie", "b=2")
	}
	url, stop := begin(http1.New(handler, http1.Options{}))
	defer stop()
	answer, err := http.DefaultTransport.RoundTrip(newRequest(url))
	if err != nil {
		log.Fatal(err)
	}
	answer.Body.Close()
	fmt.Println(answer.Status, answer.Header["Location"], answer.Header["Set-Cookie"])
	// Output: 303 See Other [/elsewhere] [a=1 b=2]
}

// newRequest is a GET, for a client that follows no redirection.
func newRequest(url string) *http.Request {
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		log.Fatal(err)
	}
	return r
}

// Fields that every answer has are checked once.
func ExampleResponse_SetHead() {
	var plain http1.Head
	if err := plain.Add("Content-Type", "text/plain; charset=utf-8"); err != nil {
		log.Fatal(err)
	}
	url, stop := begin(http1.New(func(w *http1.Response, _ *http1.Request) {
		w.SetHead(&plain)
		w.WriteString("Hello!")
	}, http1.Options{}))
	defer stop()

	answer, err := http.Get(url)
	show(answer, err)
	fmt.Println(answer.Header.Get("Content-Type"))
	// Output:
	// 200 OK: Hello!
	// text/plain; charset=utf-8
}

// What would split an answer in two is not sent.
func ExampleFieldError() {
	handler := func(w *http1.Response, r *http1.Request) {
		err := w.SetHeader("Location", "/\r\nSet-Cookie: admin=1")
		var refused *http1.FieldError
		if errors.As(err, &refused) {
			w.SetStatus(http.StatusBadRequest)
			w.WriteString(refused.Name + ": " + refused.Reason)
		}
	}
	url, stop := begin(http1.New(handler, http1.Options{}))
	defer stop()
	show(http.Get(url))
	// Output: 400 Bad Request: Location: its value contains a control byte (RFC 9110 section 5.5)
}

// A client that waits for news costs no goroutine.
func ExampleDeferred() {
	waiting := make(chan *http1.Deferred, 1)
	poll := func(w *http1.Response, r *http1.Request) { waiting <- w.Defer() }
	url, stop := begin(http1.New(poll, http1.Options{}))
	defer stop()

	go func() {
		later := <-waiting
		err := later.Respond(func(w *http1.Response) { w.WriteString("news") })
		if err != nil {
			log.Print(err) // the client has left, or its time was up
		}
	}()
	show(http.Get(url))
	// Output: 200 OK: news
}

// A client that does not wait any longer is forgotten at once.
func ExampleDeferred_OnGone() {
	came, left := make(chan bool, 1), make(chan bool, 1)
	poll := func(w *http1.Response, r *http1.Request) {
		later := w.Defer()
		later.SetTimeout(time.Minute, nil)
		later.OnGone(func(cause error) {
			left <- true
			// It may have stopped sending only, and still read.
			later.Respond(func(w *http1.Response) { w.SetStatus(http.StatusServiceUnavailable) })
		})
		came <- true
	}
	url, stop := begin(http1.New(poll, http1.Options{}))
	defer stop()

	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-came
		cancel()
	}()
	_, err := http.DefaultClient.Do(newRequest(url).WithContext(ctx))
	fmt.Println(errors.Is(err, context.Canceled), <-left)
	// Output: true true
}

// A goroutine sends the pieces of an answer. While the client does not keep up, Send
// blocks.
func ExampleStream() {
	handler := func(w *http1.Response, r *http1.Request) {
		stream := w.Stream()
		go func() {
			for i := range 3 {
				if stream.Send(fmt.Appendf(nil, "%d ", i)) != nil {
					return // the client has gone
				}
			}
			stream.Close()
		}()
	}
	url, stop := begin(http1.New(handler, http1.Options{}))
	defer stop()
	show(http.Get(url))
	// Output: 200 OK: 0 1 2
}

// A large body that many answers share is sent from its place. One that is made for an
// answer is given back when it is sent.
func ExampleResponse_SetBody() {
	film := bytes.Repeat([]byte("eddy "), 1_000_000)
	returned := make(chan bool, 1)
	handler := func(w *http1.Response, r *http1.Request) {
		if string(r.Path()) == "/film" {
			w.SetBody(film, nil) // it never changes
			return
		}
		p := []byte("made for this answer")
		w.SetBody(p, func() { returned <- true }) // p may be used again
	}
	url, stop := begin(http1.New(handler, http1.Options{}))
	defer stop()
	answer, err := http.Get(url + "/film")
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	n, err := io.Copy(io.Discard, answer.Body)
	fmt.Println(n, err)
	show(http.Get(url))
	fmt.Println(<-returned)
	// Output:
	// 5000000 <nil>
	// 200 OK: made for this answer
	// true
}

// On the loop nothing may block: a stream writes while there is room, and goes on
// when there is room again.
func ExampleStream_OnReady() {
	piece := make([]byte, 10_000)
	handler := func(w *http1.Response, r *http1.Request) {
		stream, left := w.Stream(), 1000
		more := func() {
			for ; left > 0 && stream.Room(); left-- {
				stream.Write(piece)
			}
			if left == 0 {
				stream.Finish()
			}
		}
		stream.OnReady(more)
		more()
	}
	url, stop := begin(http1.New(handler, http1.Options{}))
	defer stop()
	answer, err := http.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	n, err := io.Copy(io.Discard, answer.Body)
	fmt.Println(n, err)
	// Output: 10000000 <nil>
}

// Handlers that block run on a bounded number of goroutines.
func ExamplePool() {
	pool := http1.NewPool(8, 100) // goroutines, and requests that wait for one
	defer pool.Close()
	query := func(w *http1.Response, r *http1.Request) {
		time.Sleep(time.Millisecond) // a database, for example
		w.WriteString("42 rows")
	}
	url, stop := begin(http1.New(http1.Blocking(query, pool), http1.Options{}))
	defer stop()
	show(http.Get(url))
	// Output: 200 OK: 42 rows
}

// capitals sends back what it gets, in capitals.
type capitals struct{}

func (capitals) Open(c *eddy.Conn) eddy.Handler                    { return capitals{} }
func (capitals) OnEvent(c *eddy.Conn, e eddy.Event) (handled bool) { return false }

func (capitals) OnData(c *eddy.Conn, in []byte) (used int) {
	c.Write(bytes.ToUpper(in))
	return len(in)
}

// ask sends text to a server, and prints all that it answers.
func ask(url, text string) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, text)
	conn.(*net.TCPConn).CloseWrite()
	answer, err := io.ReadAll(conn)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.ReplaceAll(string(answer), "\r\n", "\n"))
}

// The connection speaks another protocol from here on.
func ExampleResponse_Upgrade() {
	handler := func(w *http1.Response, r *http1.Request) {
		if w.Upgrade("capitals", capitals{}.Open) != nil { // not offered
			w.SetStatus(http.StatusUpgradeRequired)
		}
	}
	url, stop := begin(http1.New(handler, http1.Options{}))
	defer stop()
	ask(url, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: capitals\r\n\r\nhello")
	// Output:
	// HTTP/1.1 101 Switching Protocols
	// Connection: Upgrade
	// Upgrade: capitals
	//
	// HELLO
}

// The connection leaves the loop, for code that reads and writes a net.Conn.
func ExampleResponse_Hijack() {
	handler := func(w *http1.Response, r *http1.Request) {
		w.Hijack(func(conn net.Conn, buffered []byte, err error) { // on a goroutine of its own
			if err != nil {
				return // the client has gone
			}
			defer conn.Close()
			rest, _ := io.ReadAll(conn)
			fmt.Fprintf(conn, "got %s%s", buffered, rest)
		})
	}
	url, stop := begin(http1.New(handler, http1.Options{}))
	defer stop()
	ask(url, "GET / HTTP/1.1\r\nHost: a\r\n\r\nhello")
	// Output: got hello
}
