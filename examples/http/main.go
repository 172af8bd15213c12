// Http is the smallest HTTP server on eddy. It prints its URL:
//
//	go run ./examples/http
//	curl -i http://127.0.0.1:8080/
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os/signal"
	"syscall"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

func hello(w *http1.Response, r *http1.Request) {
	w.SetHeader("Content-Type", "text/plain")
	w.WriteString("Hello, World!")
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address to serve on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal kills the program

	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	server, err := http1.New(hello, http1.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := engine.Listen("tcp", *listen, server.Open)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%v/\n", ln.Addr())
	if err := engine.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
