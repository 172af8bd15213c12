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

func (echo) OnOpen(*eddy.Conn)         {}
func (echo) OnClose(*eddy.Conn, error) {}

func (echo) OnData(c *eddy.Conn, in []byte) (used int) {
	c.Write(in)
	return len(in)
}

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
	ln, err := engine.Listen("tcp", *listen, echo{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("echo on", ln.Addr())
	if err := engine.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
