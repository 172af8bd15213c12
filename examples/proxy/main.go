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

// side is the state of one end of a pair. Both ends belong to one loop, so there is no mutex.
type side struct {
	other *eddy.Conn // nil until connected
}

// relay is the protocol of both ends.
type relay struct{ to string }

func (r relay) OnOpen(c *eddy.Conn) {
	// Otherwise a full output queue stops reading on the same connection, and two peers
	// that send before they read wait for each other.
	c.EnableFullDuplex()
	if r.to == "" {
		return // the dialled end, paired in connected
	}
	c.PauseRead()
	c.SetState(&side{})
	c.Loop().Dial("tcp", r.to, relay{}, 10*time.Second, func(upstream *eddy.Conn, err error) {
		if err != nil {
			c.Loop().Logger().Warn("proxy: no upstream", "error", err)
			c.Abort(err)
			return
		}
		connected(c, upstream)
	})
}

func connected(c, upstream *eddy.Conn) {
	if !c.Open() {
		upstream.Close()
		return
	}
	c.SetState(&side{other: upstream})
	upstream.SetState(&side{other: c})
	c.ResumeRead()
}

func other(c *eddy.Conn) *eddy.Conn {
	if s, ok := c.State().(*side); ok {
		return s.other
	}
	return nil
}

func (relay) OnData(c *eddy.Conn, in []byte) (used int) {
	o := other(c)
	if o == nil {
		return 0 // not connected yet
	}
	c.SetDeadline(idle)
	o.SetDeadline(idle)
	if _, err := o.Write(in); err != nil {
		c.Abort(err)
		return len(in)
	}
	if o.Full() {
		c.PauseRead() // until OnDrain
	}
	return len(in)
}

func (relay) OnDrain(c *eddy.Conn) {
	if o := other(c); o != nil {
		o.ResumeRead()
	}
}

func (relay) OnEOF(c *eddy.Conn) {
	if o := other(c); o != nil {
		o.CloseWrite() // half-closed: the other direction stays open
	}
}

// OnShutdown keeps the pair open until it ends by itself or the drain times out.
func (relay) OnShutdown(*eddy.Conn) {}

func (relay) OnClose(c *eddy.Conn, err error) {
	o := other(c)
	switch {
	case o == nil:
	case err == nil || err == io.EOF:
		o.Close()
	default:
		o.Abort(err) // truncated data must not look complete
	}
}

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "address to listen on")
	to := flag.String("to", "127.0.0.1:8080", "address to pass connections on to")
	flag.Parse()
	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := engine.Listen("tcp", *listen, relay{to: *to})
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
