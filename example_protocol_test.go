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

// base has the methods that a protocol must have, and most of these need not.
type base struct{}

func (base) OnOpen(c *eddy.Conn)                       {}
func (base) OnData(c *eddy.Conn, in []byte) (used int) { return len(in) }
func (base) OnClose(c *eddy.Conn, err error)           {}

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
			return used // the beginning of a message comes back, with more behind it
		}
		text := strings.ToUpper(string(rest[4:n]))
		c.WriteParts(rest[:4], []byte(text))
		used += n
	}
}

// A length-prefixed protocol.
func ExampleProtocol() {
	conn, stop := connect(frames{})
	defer stop()
	conn.Write([]byte("\x00\x00\x00\x05hello\x00\x00\x00\x05wo"))
	conn.Write([]byte("rld"))
	conn.CloseWrite()
	answer, err := io.ReadAll(conn)
	fmt.Printf("%q %v\n", answer, err)
	// Output: "\x00\x00\x00\x05HELLO\x00\x00\x00\x05WORLD" <nil>
}

// flood sends size bytes, no faster than the client reads.
type flood struct {
	base
	size int
}

func (f flood) OnOpen(c *eddy.Conn) {
	left := f.size
	c.SetState(&left)
	f.OnDrain(c)
}

// OnDrain goes on where there was no more room.
func (flood) OnDrain(c *eddy.Conn) {
	piece := make([]byte, 16<<10)
	left := c.State().(*int)
	for *left > 0 && !c.Full() {
		n, err := c.Write(piece[:min(*left, len(piece))])
		if err != nil {
			return // OnClose is told why
		}
		*left -= n
	}
	if *left == 0 {
		c.Close()
	}
}

// However slow the client is, little more than Options.HighWater is ever held.
func ExampleDrainHandler() {
	conn, stop := connect(flood{size: 10_000_000})
	defer stop()
	n, err := io.Copy(io.Discard, conn)
	fmt.Println(n, err)
	// Output: 10000000 <nil>
}

// login gives the client a moment to say who it is.
type login struct{ base }

func (login) OnOpen(c *eddy.Conn) { c.SetDeadline(5 * time.Millisecond) }

func (login) OnTimeout(c *eddy.Conn) {
	c.WriteString("too late\n")
	c.Close()
}

func ExampleTimeoutHandler() {
	conn, stop := connect(login{})
	defer stop()
	io.Copy(os.Stdout, conn)
	// Output: too late
}

// lengthOf counts what comes until the client stops sending.
type lengthOf struct{ base }

func (lengthOf) OnOpen(c *eddy.Conn) { c.SetState(new(int)) }

func (lengthOf) OnData(c *eddy.Conn, in []byte) (used int) {
	*c.State().(*int) += len(in)
	return len(in)
}

func (lengthOf) OnEOF(c *eddy.Conn) {
	fmt.Fprintf(c, "%d bytes\n", *c.State().(*int))
	c.Close()
}

func ExampleEOFHandler() {
	conn, stop := connect(lengthOf{})
	defer stop()
	fmt.Fprint(conn, "hello, ")
	fmt.Fprint(conn, "world")
	conn.CloseWrite()
	io.Copy(os.Stdout, conn)
	// Output: 12 bytes
}

// office reads one order, and no more before it is carried out.
type office struct {
	base
	left chan<- string
}

func (office) OnData(c *eddy.Conn, in []byte) (used int) {
	c.PauseRead() // ResumeRead will follow when the order is carried out
	c.WriteString("wait\n")
	return len(in)
}

func (o office) OnHangup(c *eddy.Conn) {
	o.left <- "the client did not wait"
	c.Close()
}

// A client that leaves is noticed while its connection is not being read.
func ExampleHangupHandler() {
	left := make(chan string, 1)
	conn, stop := connect(office{left: left})
	defer stop()
	fmt.Fprint(conn, "an order")
	io.CopyN(os.Stdout, conn, int64(len("wait\n")))
	conn.Close()
	fmt.Println(<-left)
	// Output:
	// wait
	// the client did not wait
}

// census numbers the connections of each loop.
type census struct {
	base
	count int // of one loop: it needs no lock
}

// Bind makes an instance for one loop.
func (*census) Bind(*eddy.Loop) eddy.Protocol { return new(census) }

func (p *census) OnOpen(c *eddy.Conn) {
	p.count++
	fmt.Fprintf(c, "number %d on its loop\n", p.count)
	c.Close()
}

func ExampleBinder() {
	conn, stop := connect(new(census))
	defer stop()
	io.Copy(os.Stdout, conn)
	// Output: number 1 on its loop
}

// thrifty has limits of its own, whatever the engine's options are.
type thrifty struct{ base }

func (thrifty) Tune(s *eddy.Settings) error {
	s.MaxInput = 8 << 10
	s.IdleTimeout = time.Minute
	return nil
}

func (thrifty) OnOpen(c *eddy.Conn) {
	fmt.Fprintln(c, c.Settings().MaxInput, c.Settings().IdleTimeout)
	c.Close()
}

func ExampleTuner() {
	conn, stop := connect(thrifty{})
	defer stop()
	io.Copy(os.Stdout, conn)
	// Output: 8192 1m0s
}

// blobs takes messages of a size that is known, right into their memory.
type blobs struct{ base }

const blobSize = 100_000

type blob struct {
	bytes []byte // its capacity is the size
}

func (blobs) OnOpen(c *eddy.Conn) { c.SetState(&blob{make([]byte, 0, blobSize)}) }

func (blobs) InputSpace(c *eddy.Conn) []byte {
	b := c.State().(*blob)
	return b.bytes[len(b.bytes):cap(b.bytes)]
}

func (blobs) OnFilled(c *eddy.Conn, n int) {
	b := c.State().(*blob)
	if b.bytes = b.bytes[:len(b.bytes)+n]; len(b.bytes) == cap(b.bytes) {
		fmt.Fprintf(c, "%d bytes, the last is %q\n", len(b.bytes), b.bytes[len(b.bytes)-1])
		b.bytes = b.bytes[:0]
	}
}

func ExampleLender() {
	conn, stop := connect(blobs{})
	defer stop()
	fmt.Fprint(conn, strings.Repeat("a", blobSize)+strings.Repeat("b", blobSize))
	conn.CloseWrite()
	io.Copy(os.Stdout, conn)
	// Output:
	// 100000 bytes, the last is 'a'
	// 100000 bytes, the last is 'b'
}

// marks tells where backpressure begins and ends.
type marks struct{ base }

func (marks) OnOpen(c *eddy.Conn) {
	s := c.Settings()
	fmt.Fprintf(c, "full above %d bytes, room again at %d\n", s.HighWater, s.LowWater)
	c.Close()
}

func ExampleSettings() {
	conn, stop := connect(marks{})
	defer stop()
	io.Copy(os.Stdout, conn)
	// Output: full above 65536 bytes, room again at 32768
}

// numbered sends back each line with its number in front.
type numbered struct{ base }

// A line must end within this time from its beginning or that of the one before.
const lineTimeout = 30 * time.Second

func (numbered) OnOpen(c *eddy.Conn) {
	c.SetState(new(int))
	c.SetDeadline(lineTimeout) // without an OnTimeout, it ends the connection
}

func (numbered) OnData(c *eddy.Conn, in []byte) (used int) {
	count := c.State().(*int)
	for {
		n := bytes.IndexByte(in[used:], '\n') + 1
		if n == 0 {
			return used
		}
		*count++
		fmt.Fprintf(c, "%d: %s", *count, in[used:used+n])
		used += n
		c.SetDeadline(lineTimeout)
	}
}

// A line protocol, with a value of its own for each connection, and a deadline.
func ExampleConn() {
	conn, stop := connect(numbered{})
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
	conn, stop := connect(counter{})
	defer stop()
	fmt.Fprint(conn, "hello")
	conn.CloseWrite()
	io.Copy(os.Stdout, conn)
	// Output: 5
}

// errand has each connection's work done elsewhere.
type errand struct{ base }

func (errand) OnOpen(c *eddy.Conn) {
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
}

// A goroutine comes back to the connection that it has worked for.
func ExampleRef_Do() {
	conn, stop := connect(errand{})
	defer stop()
	io.Copy(os.Stdout, conn)
	// Output: done elsewhere
}

// visitors makes its connections known to other goroutines.
type visitors struct {
	base
	came chan<- eddy.Ref
}

func (v visitors) OnOpen(c *eddy.Conn) { v.came <- c.Ref() }

// Ref.Write sends from any goroutine. It never blocks, and fails when the client
// does not keep up.
func ExampleRef() {
	came := make(chan eddy.Ref, 1)
	conn, stop := connect(visitors{came: came})
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

// patient says that it waits, unless it gets what it waits for.
type patient struct{ base }

func (patient) OnOpen(c *eddy.Conn) {
	c.SetState(c.After(time.Hour, func(c *eddy.Conn) { c.WriteString("still waiting\n") }))
}

func (patient) OnData(c *eddy.Conn, in []byte) (used int) {
	fmt.Fprintln(c, "stopped in time:", c.State().(*eddy.Timer).Stop())
	return len(in)
}

func ExampleTimer() {
	conn, stop := connect(patient{})
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
	conn, stop := connect(slow{answered: answered})
	defer stop()
	fmt.Fprint(conn, "hello")
	fmt.Println(<-answered)
	// Output: on the loop: hello
}

// clumsy panics, and learns of it.
type clumsy struct {
	base
	ended chan<- error
}

func (clumsy) OnData(c *eddy.Conn, in []byte) (used int) { return int(in[len(in)]) }
func (p clumsy) OnClose(c *eddy.Conn, err error)         { p.ended <- err }

// A panic costs the connection whose callback it was, and no other.
func ExamplePanicError() {
	ended := make(chan error, 1)
	conn, stop := connect(clumsy{ended: ended})
	defer stop()
	fmt.Fprint(conn, "hello")

	var panicked *eddy.PanicError
	if errors.As(<-ended, &panicked) {
		fmt.Println(panicked.Value)
	}
	// Output: runtime error: index out of range [5] with length 5
}
