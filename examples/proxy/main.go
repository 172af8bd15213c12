// Proxy relays TCP connections to another address. The two directions are independent:
// a side that does not read applies backpressure to its sender only.
//
//	go run ./examples/proxy -listen 127.0.0.1:9000 -to 127.0.0.1:8080
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os/signal"
	"syscall"
	"time"

	"github.com/eddynet/eddy"
)

// idle is the timeout of a pair of connections without data in either direction.
const idle = 5 * time.Minute

// side handles one end of a pair. Both ends live on one loop, so they need no lock.
type side struct {
	other *eddy.Conn // nil until connected
}

// proxy is the protocol of accepted connections: it pairs them with dialled ones.
func proxy(to string) eddy.Protocol {
	return func(client *eddy.Conn) eddy.Handler {
		// Without it, a full output stops the input of the same connection. Then each of
		// two peers that send before they read waits for the other.
		client.EnableFullDuplex()
		client.PauseRead()
		accepted := &side{}
		dialled := func(upstream *eddy.Conn) eddy.Handler {
			upstream.EnableFullDuplex()
			accepted.other = upstream
			client.ResumeRead()
			if !client.Open() {
				upstream.Close()
			}
			return &side{other: client}
		}
		loop := client.Loop()
		loop.Dial("tcp", to, dialled, 10*time.Second, func(_ *eddy.Conn, err error) {
			if err != nil {
				loop.Logger().Warn("proxy: no upstream", "error", err)
				client.Abort(err)
			}
		})
		return accepted
	}
}

func (s *side) OnData(c *eddy.Conn, in []byte) (used int) {
	c.SetTimeout(idle)
	s.other.SetTimeout(idle)
	if _, err := s.other.Write(in); err != nil {
		c.Abort(err)
		return len(in)
	}
	if s.other.Full() {
		c.PauseRead() // until the other side is writable
	}
	return len(in)
}

func (s *side) OnEvent(c *eddy.Conn, e eddy.Event) (handled bool) {
	switch {
	case e == eddy.EventShutdown:
		return true // the pair ends by itself, within the drain's deadline
	case s.other == nil:
	case e == eddy.EventWritable:
		s.other.ResumeRead()
	case e == eddy.EventEOF:
		s.other.CloseWrite()
		return true // half-closed: answers may still come
	case e == eddy.EventClosed && (c.Err() == nil || c.Err() == io.EOF):
		s.other.Close()
	case e == eddy.EventClosed:
		s.other.Abort(c.Err()) // what was passed on must not look complete
	}
	return false
}

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "address to listen on")
	to := flag.String("to", "127.0.0.1:8080", "address to pass connections on to")
	flag.Parse()
	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := engine.Listen("tcp", *listen, proxy(*to))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("proxy on", ln.Addr(), "to", *to)

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal kills the program
	if err := engine.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
