package eddy_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/loop"
)

// connect serves p and connects to it.
func connect(p eddy.Protocol) (conn *net.TCPConn, stop func()) {
	engine, err := eddy.New(eddy.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := engine.Listen("tcp", "127.0.0.1:0", p)
	if err != nil {
		log.Fatal(err)
	}
	go engine.Run(context.Background())
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	return c.(*net.TCPConn), func() {
		c.Close()
		engine.Shutdown(context.Background())
	}
}

// base uses all input, and leaves each event to its default action.
type base struct{}

func (base) OnData(c *eddy.Conn, in []byte) (used int)         { return len(in) }
func (base) OnEvent(c *eddy.Conn, e eddy.Event) (handled bool) { return false }

// open returns a protocol whose connections have one handler in common.
func open(h eddy.Handler) eddy.Protocol {
	return func(*eddy.Conn) eddy.Handler { return h }
}

// A protocol is a function. This one says all that it has to say at once.
func ExampleProtocol() {
	conn, stop := connect(func(c *eddy.Conn) eddy.Handler {
		c.WriteString("closed on Sundays\n")
		c.Close()
		return base{}
	})
	defer stop()
	io.Copy(os.Stdout, conn)
	// Output: closed on Sundays
}

// frames answers each message with itself in capitals. A message is its length, in
// four bytes, and so many bytes of text.
type frames struct{ base }

const maxFrame = 1 << 16 // bytes, below Options.MaxInput

var errFrame = errors.New("a frame is too large")

func (frames) OnData(c *eddy.Conn, in []byte) (used int) {
	for {
		rest := in[used:]
		if len(rest) < 4 {
			return used
		}
		size := binary.BigEndian.Uint32(rest)
		if size > maxFrame {
			c.Abort(errFrame)
			return len(in)
		}
		n := 4 + int(size)
		if len(rest) < n {
			return used // the beginning of a message comes back, with more appended to it
		}
		c.Write(rest[:4])
		c.Write(bytes.ToUpper(rest[4:n]))
		used += n
	}
}

// A length-prefixed protocol.
func ExampleHandler() {
	conn, stop := connect(open(frames{}))
	defer stop()
	conn.Write([]byte("\x00\x00\x00\x05hello\x00\x00\x00\x05wo"))
	conn.Write([]byte("rld"))
	conn.CloseWrite()
	answer, err := io.ReadAll(conn)
	fmt.Printf("%q %v\n", answer, err)
	// Output: "\x00\x00\x00\x05HELLO\x00\x00\x00\x05WORLD" <nil>
}

// diary notes the events of a connection.
type diary struct {
	base
	events chan<- string
}

func (d diary) OnEvent(c *eddy.Conn, e eddy.Event) (handled bool) {
	d.events <- fmt.Sprint(e)
	return false // which closes the connection at the end of its input
}

func ExampleEvent() {
	events := make(chan string, 10)
	conn, stop := connect(open(diary{events: events}))
	defer stop()
	conn.CloseWrite()
	fmt.Println(<-events)
	fmt.Println(<-events)
	// Output:
	// EOF
	// Closed
}

// flood sends left bytes, no faster than the client reads.
type flood struct {
	base
	left int
}

func (f *flood) send(c *eddy.Conn) {
	piece := make([]byte, 16<<10)
	for f.left > 0 && !c.Full() {
		n, err := c.Write(piece[:min(f.left, len(piece))])
		if err != nil {
			return // the connection is about to be closed
		}
		f.left -= n
	}
	if f.left == 0 {
		c.Close()
	}
}

func (f *flood) OnEvent(c *eddy.Conn, e eddy.Event) (handled bool) {
	if e == eddy.EventWritable {
		f.send(c)
	}
	return false
}

// However slow the client is, little more than Options.HighWater is ever held.
func ExampleEvent_writable() {
	conn, stop := connect(func(c *eddy.Conn) eddy.Handler {
		f := &flood{left: 10_000_000}
		f.send(c)
		return f
	})
	defer stop()
	n, err := io.Copy(io.Discard, conn)
	fmt.Println(n, err)
	// Output: 10000000 <nil>
}

// login gives the client a moment to say who it is.
type login struct{ base }

func (l login) Open(c *eddy.Conn) eddy.Handler {
	c.SetTimeout(5 * time.Millisecond)
	return l
}

func (login) OnEvent(c *eddy.Conn, e eddy.Event) (handled bool) {
	if e == eddy.EventTimeout {
		c.WriteString("too late\n")
		c.Close()
		return true
	}
	return false
}

func ExampleEvent_timeout() {
	conn, stop := connect(login{}.Open)
	defer stop()
	io.Copy(os.Stdout, conn)
	// Output: too late
}

// lengthOf counts the bytes that come until the client stops sending.
type lengthOf struct{ bytes int }

func (l *lengthOf) OnData(c *eddy.Conn, in []byte) (used int) {
	l.bytes += len(in)
	return len(in)
}

func (l *lengthOf) OnEvent(c *eddy.Conn, e eddy.Event) (handled bool) {
	if e == eddy.EventEOF {
		fmt.Fprintf(c, "%d bytes\n", l.bytes)
	}
	return false // which closes the connection after its output
}

func ExampleEvent_eof() {
	conn, stop := connect(func(*eddy.Conn) eddy.Handler { return new(lengthOf) })
	defer stop()
	fmt.Fprint(conn, "hello, ")
	fmt.Fprint(conn, "world")
	conn.CloseWrite()
	io.Copy(os.Stdout, conn)
	// Output: 12 bytes
}

// office reads one order, and no more before it is carried out.
type office struct{ left chan<- string }

func (office) OnData(c *eddy.Conn, in []byte) (used int) {
	c.PauseRead() // ResumeRead will follow when the order is carried out
	c.WriteString("wait\n")
	return len(in)
}

func (o office) OnEvent(c *eddy.Conn, e eddy.Event) (handled bool) {
	if e == eddy.EventHangup {
		o.left <- "the client did not wait"
		c.Close()
	}
	return false
}

// A client that leaves is noticed while its connection is not being read.
func ExampleEvent_hangup() {
	left := make(chan string, 1)
	conn, stop := connect(open(office{left}))
	defer stop()
	fmt.Fprint(conn, "an order")
	io.CopyN(os.Stdout, conn, int64(len("wait\n")))
	conn.Close()
	fmt.Println(<-left)
	// Output:
	// wait
	// the client did not wait
}

// visits counts the connections of one loop: it needs no lock.
type visits struct{ count int }

// A value for each loop, which the connections there have in common.
func ExamplePerLoop() {
	var loops loop.PerLoop[*visits]
	conn, stop := connect(func(c *eddy.Conn) eddy.Handler {
		v := loops.Get(c.Loop(), func() *visits { return new(visits) })
		v.count++
		fmt.Fprintf(c, "number %d on its loop\n", v.count)
		c.Close()
		return base{}
	})
	defer stop()
	io.Copy(os.Stdout, conn)
	// Output: number 1 on its loop
}

// A protocol with limits of its own, whatever the engine's options are.
func ExampleConn_SetSettings() {
	conn, stop := connect(func(c *eddy.Conn) eddy.Handler {
		s := *c.Settings()
		s.MaxInput = 8 << 10
		s.IdleTimeout = time.Minute
		c.SetSettings(&s)

		fmt.Fprintln(c, c.Settings().MaxInput, c.Settings().IdleTimeout)
		c.Close()
		return base{}
	})
	defer stop()
	io.Copy(os.Stdout, conn)
	// Output: 8192 1m0s
}

// blobs takes messages of one size, which are read right into their memory.
type blobs struct {
	base
	blob []byte // as much as has come; its capacity is the size
}

func (b *blobs) ReadBuffer(c *eddy.Conn) []byte { return b.blob[len(b.blob):cap(b.blob)] }

func (b *blobs) OnData(c *eddy.Conn, in []byte) (used int) {
	b.blob = b.blob[:len(b.blob)+len(in)] // in is there already
	if len(b.blob) == cap(b.blob) {
		fmt.Fprintf(c, "%d bytes, the last is %q\n", len(b.blob), b.blob[len(b.blob)-1])
		b.blob = b.blob[:0]
	}
	return len(in)
}

func ExampleBufferSupplier() {
	const size = 100_000
	conn, stop := connect(func(*eddy.Conn) eddy.Handler { return &blobs{blob: make([]byte, 0, size)} })
	defer stop()
	fmt.Fprint(conn, strings.Repeat("a", size)+strings.Repeat("b", size))
	conn.CloseWrite()
	io.Copy(os.Stdout, conn)
	// Output:
	// 100000 bytes, the last is 'a'
	// 100000 bytes, the last is 'b'
}

// A protocol that tells where backpressure begins and ends.
func ExampleSettings() {
	conn, stop := connect(func(c *eddy.Conn) eddy.Handler {
		s := c.Settings()
		fmt.Fprintf(c, "full above %d bytes, room again at %d\n", s.HighWater, s.LowWater)
		c.Close()
		return base{}
	})
	defer stop()
	io.Copy(os.Stdout, conn)
	// Output: full above 65536 bytes, room again at 32768
}

// numbered sends back each line after its number.
type numbered struct {
	base
	count int
}

// A line must end within this time from its beginning or that of the one before.
const lineTimeout = 30 * time.Second

func (n *numbered) OnData(c *eddy.Conn, in []byte) (used int) {
	for {
		size := bytes.IndexByte(in[used:], '\n') + 1
		if size == 0 {
			return used
		}
		n.count++
		fmt.Fprintf(c, "%d: %s", n.count, in[used:used+size])
		used += size
		c.SetTimeout(lineTimeout)
	}
}

// A line protocol, with a handler for each connection, and a deadline.
func ExampleConn() {
	conn, stop := connect(func(c *eddy.Conn) eddy.Handler {
		c.SetTimeout(lineTimeout) // by default, EventTimeout ends the connection
		return new(numbered)
	})
	defer stop()
	fmt.Fprint(conn, "one\ntwo\nthr")
	fmt.Fprint(conn, "ee\n")
	conn.CloseWrite()
	io.Copy(os.Stdout, conn)
	// Output:
	// 1: one
	// 2: two
	// 3: three
}

// counter says how many bytes came.
type counter struct{ base }

func (counter) OnData(c *eddy.Conn, in []byte) (used int) {
	out := c.Out()
	out.B = strconv.AppendInt(out.B, int64(len(in)), 10)
	out.B = append(out.B, '\n')
	return len(in)
}

// Appending to the pending output costs no copy and no allocation.
func ExampleBuffer() {
	conn, stop := connect(open(counter{}))
	defer stop()
	fmt.Fprint(conn, "hello")
	conn.CloseWrite()
	io.Copy(os.Stdout, conn)
	// Output: 5
}

// errand has each connection's work done elsewhere.
func errand(c *eddy.Conn) eddy.Handler {
	ref := c.Ref() // c itself must not leave the loop
	go func() {
		result := "done elsewhere\n"
		err := ref.Do(func(c *eddy.Conn) { // on the loop again
			c.WriteString(result)
			c.Close()
		})
		if err != nil {
			log.Print(err) // the connection has gone meanwhile
		}
	}()
	return base{}
}

// A goroutine comes back to the connection that it has worked for.
func ExampleRef_Do() {
	conn, stop := connect(errand)
	defer stop()
	io.Copy(os.Stdout, conn)
	// Output: done elsewhere
}

// Ref.Write sends from any goroutine. It never blocks, and fails when the client
// does not keep up.
func ExampleRef() {
	came := make(chan eddy.Ref, 1)
	conn, stop := connect(func(c *eddy.Conn) eddy.Handler {
		came <- c.Ref()
		return base{}
	})
	defer stop()

	ref := <-came
	fmt.Println(ref.Write([]byte("news")))
	buf := make([]byte, 4)
	io.ReadFull(conn, buf)
	fmt.Printf("%s\n", buf)
	// Output:
	// <nil>
	// news
}

// patient says that it waits, unless input comes.
type patient struct {
	base
	timer *loop.Timer
}

func (p patient) OnData(c *eddy.Conn, in []byte) (used int) {
	fmt.Fprintln(c, "stopped in time:", p.timer.Stop())
	return len(in)
}

func ExampleTimer() {
	conn, stop := connect(func(c *eddy.Conn) eddy.Handler {
		return patient{timer: c.After(time.Hour, func(c *eddy.Conn) { c.WriteString("still waiting\n") })}
	})
	defer stop()
	fmt.Fprint(conn, "here you are")
	conn.CloseWrite()
	io.Copy(os.Stdout, conn)
	// Output: stopped in time: true
}

// slow answers from a goroutine that knows the loop, not the connection.
type slow struct {
	base
	answered chan<- string
}

func (s slow) OnData(c *eddy.Conn, in []byte) (used int) {
	loop, text := c.Loop(), string(in) // a copy: in is valid until OnData returns
	go loop.Post(func() {
		s.answered <- "on the loop: " + text
	})
	loop.Yield() // the loop is about to wait: let the goroutine go first
	return len(in)
}

// Functions that are posted to one loop never run at the same time: what they share
// needs no lock.
func ExampleLoop() {
	answered := make(chan string, 1)
	conn, stop := connect(open(slow{answered: answered}))
	defer stop()
	fmt.Fprint(conn, "hello")
	fmt.Println(<-answered)
	// Output: on the loop: hello
}

// clumsy panics, and learns of it.
type clumsy struct{ ended chan<- error }

func (clumsy) OnData(c *eddy.Conn, in []byte) (used int) { return int(in[len(in)]) }

func (p clumsy) OnEvent(c *eddy.Conn, e eddy.Event) (handled bool) {
	if e == eddy.EventClosed {
		p.ended <- c.Err()
	}
	return false
}

// A panic costs the connection whose callback it was, and no other.
func ExamplePanicError() {
	ended := make(chan error, 1)
	conn, stop := connect(open(clumsy{ended}))
	defer stop()
	fmt.Fprint(conn, "hello")

	var panicked *loop.PanicError
	if errors.As(<-ended, &panicked) {
		fmt.Println(panicked.Value)
	}
	// Output: runtime error: index out of range [5] with length 5
}
