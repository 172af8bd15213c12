// Echo is a custom protocol on eddy: it echoes its input. Try
//
//	go run ./examples/echo
//	nc 127.0.0.1 7000
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os/signal"
	"syscall"

	"github.com/eddynet/eddy"
)

type echo struct{}

// Open is the protocol. One handler serves all connections: it keeps nothing of them.
func (echo) Open(*eddy.Conn) eddy.Handler { return echo{} }

func (echo) OnData(c *eddy.Conn, in []byte) (used int) {
	c.Write(in)
	return len(in)
}

// OnEvent leaves each event to its default action: a connection whose client has stopped
// sending is closed after its output, for example.
func (echo) OnEvent(*eddy.Conn, eddy.Event) (handled bool) { return false }

func main() {
	listen := flag.String("listen", "127.0.0.1:7000", "address to serve on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal kills the program

	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := engine.Listen("tcp", *listen, echo{}.Open)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("echo on", ln.Addr())
	if err := engine.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
