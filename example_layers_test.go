package eddy_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

// hello is an HTTP server.
func hello() *http1.Server {
	server, err := http1.New(func(w *http1.Response, r *http1.Request) {
		fmt.Fprintf(w, "hello, %s\n", r.RemoteAddr())
	}, http1.Options{})
	if err != nil {
		panic(err)
	}
	return server
}

// counting counts the connections of a protocol, and their bytes of input.
type counting struct {
	conns, bytes atomic.Int64 // two loops count at the same time
}

func (n *counting) wrap(p eddy.Protocol) eddy.Protocol {
	return func(c *eddy.Conn) eddy.Handler {
		n.conns.Add(1)
		return countingHandler{p(c), n}
	}
}

type countingHandler struct {
	eddy.Handler // whatever is not overridden
	to           *counting
}

func (h countingHandler) OnData(c *eddy.Conn, in []byte) (used int) {
	used = h.Handler.OnData(c, in)
	h.to.bytes.Add(int64(used))
	return used
}

// A wrapper around any protocol, here HTTP: it embeds the Handler, and overrides a method.
func ExampleProtocol_counting() {
	var n counting
	conn, stop := connect(n.wrap(hello().Open))
	request := "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	fmt.Fprint(conn, request)
	io.Copy(io.Discard, conn)
	stop()
	fmt.Println(n.conns.Load(), n.bytes.Load() == int64(len(request)))
	// Output: 1 true
}

// logging writes a line for the beginning and the end of each connection.
func logging(p eddy.Protocol, log *slog.Logger) eddy.Protocol {
	return func(c *eddy.Conn) eddy.Handler {
		log.Info("open")
		return loggingHandler{p(c), log}
	}
}

type loggingHandler struct {
	eddy.Handler
	log *slog.Logger
}

func (h loggingHandler) OnEvent(c *eddy.Conn, e eddy.Event) (handled bool) {
	if e == eddy.EventClosed {
		h.log.Info("closed", "cause", c.Err())
	}
	return h.Handler.OnEvent(c, e)
}

// Wrappers see the events of a connection, and leave them to the protocol inside.
func ExampleProtocol_logging() {
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	conn, stop := connect(logging(hello().Open, log))
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	io.Copy(io.Discard, conn)
	stop()
	// Output:
	// msg=open
	// msg=closed cause=<nil>
}

// xor is a layer that encrypts nothing, but shows where TLS would stand.
type xor struct {
	eddy.Transport // the one below
	scratch        []byte
}

const key = 0x20

func flip(p []byte) {
	for i := range p {
		p[i] ^= key
	}
}

func (x *xor) Read(p []byte) (n int, err error) {
	n, err = x.Transport.Read(p)
	flip(p[:n])
	return n, err
}

// Write takes a piece, and no more of it than the transport below does: so nothing is held.
func (x *xor) Write(slices [][]byte) (n int, err error) {
	x.scratch = x.scratch[:0]
	for _, p := range slices {
		x.scratch = append(x.scratch, p...)
	}
	flip(x.scratch)
	if len(x.scratch) == 0 {
		return x.Transport.Write(nil)
	}
	return x.Transport.Write([][]byte{x.scratch})
}

// overXOR puts the layer under a protocol.
func overXOR(p eddy.Protocol) eddy.Protocol {
	return func(c *eddy.Conn) eddy.Handler {
		c.AddLayer(func(below eddy.Transport) eddy.Transport { return &xor{Transport: below} })
		return p(c)
	}
}

// A layer changes the bytes between the socket and a protocol that does not know of it.
func ExampleTransport() {
	conn, stop := connect(overXOR(hello().Open))
	defer stop()
	request := []byte("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	flip(request)
	conn.Write(request)
	answer, _ := io.ReadAll(conn)
	flip(answer)
	fmt.Printf("%s\n", answer[:len("HTTP/1.1 200 OK")])
	// Output: HTTP/1.1 200 OK
}

// behindProxy reads who the client is from the beginning of the connection, as a proxy
// sends it: here its IPv4 address and port, in six bytes.
func behindProxy(p eddy.Protocol) eddy.Protocol {
	return func(*eddy.Conn) eddy.Handler { return prefix{then: p} }
}

type prefix struct{ then eddy.Protocol }

func (h prefix) OnData(c *eddy.Conn, in []byte) (used int) {
	if len(in) < 6 {
		return 0
	}
	c.SetAddrs(&net.TCPAddr{IP: net.IP(in[:4]), Port: int(binary.BigEndian.Uint16(in[4:]))}, c.LocalAddr())
	c.SetProtocol(h.then) // the rest of the input is its own
	return 6
}

func (prefix) OnEvent(*eddy.Conn, eddy.Event) (handled bool) { return false }

// A protocol in front of another one hands the connection over, with the rest of the input.
func ExampleConn_SetAddrs() {
	conn, stop := connect(behindProxy(hello().Open))
	defer stop()
	fmt.Fprint(conn, "\xc0\x00\x02\x01\x04\xd2", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	io.Copy(os.Stdout, answer.Body)
	// Output: hello, 192.0.2.1:1234
}

// sniff serves HTTP and a line protocol on one port.
func sniff(web, lines eddy.Protocol) eddy.Protocol {
	return func(*eddy.Conn) eddy.Handler { return sniffer{web, lines} }
}

type sniffer struct{ web, lines eddy.Protocol }

var errNeither = errors.New("neither HTTP nor the line protocol")

func (s sniffer) OnData(c *eddy.Conn, in []byte) (used int) {
	switch line, _, complete := bytes.Cut(in, []byte("\n")); {
	case bytes.HasSuffix(bytes.TrimRight(line, "\r"), []byte(" HTTP/1.1")):
		c.SetProtocol(s.web)
	case complete:
		c.SetProtocol(s.lines)
	case len(in) > 8<<10:
		c.Abort(errNeither)
	}
	return 0 // all of it is for the next protocol
}

func (sniffer) OnEvent(*eddy.Conn, eddy.Event) (handled bool) { return false }

// The first line of a connection decides which protocol it speaks.
func ExampleConn_SetProtocol() {
	lines := func(*eddy.Conn) eddy.Handler { return new(numbered) }
	for _, text := range []string{"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "hello\n"} {
		conn, stop := connect(sniff(hello().Open, lines))
		fmt.Fprint(conn, text)
		conn.CloseWrite()
		line, _ := bufio.NewReader(conn).ReadString('\n')
		fmt.Printf("%q\n", line)
		stop()
	}
	// Output:
	// "HTTP/1.1 200 OK\r\n"
	// "1: hello\n"
}
