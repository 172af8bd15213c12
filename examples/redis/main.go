// Redis is a small server for the Redis protocol (RESP2), as a custom protocol on eddy:
// PING, ECHO, SET, GET and DEL, with pipelining. It stores everything in memory.
//
//	go run ./examples/redis
//	redis-cli -p 6380 set greeting hello
//	redis-cli -p 6380 get greeting
//	redis-benchmark -p 6380 -t set,get,ping -P 16 -q
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

func main() {
	listen := flag.String("listen", "127.0.0.1:6380", "address to serve on")
	flag.Parse()

	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := engine.Listen("tcp", *listen, server{newStore()}.Open)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("redis://%v\n", ln.Addr())

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal kills the program
	if err := engine.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
