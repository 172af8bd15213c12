// Echo is a custom protocol on eddy: it sends back what it receives. Try
//
//	go run ./examples/echo
//	nc 127.0.0.1 7000
package main

import (
	"context"
	"fmt"
	"log"
	"os/signal"
	"syscall"

	"github.com/eddynet/eddy"
)

type echo struct{}

func (echo) OnOpen(*eddy.Conn)         {}
func (echo) OnClose(*eddy.Conn, error) {}

func (echo) OnData(c *eddy.Conn, in []byte) (used int) {
	c.Write(in)
	return len(in)
}

func main() {
	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := engine.Listen("tcp", "127.0.0.1:7000", echo{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("echo on", ln.Addr())

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := engine.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
