// Nethttp runs an ordinary net/http handler, the standard mux, on eddy. It prints its
// URL:
//
//	go run ./examples/nethttp
//	curl -i http://127.0.0.1:8080/hello/you
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os/signal"
	"syscall"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/nethttp"
)

// newMux does not depend on eddy.
func newMux() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "Try /hello/you")
	})
	mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello, %s!\n", r.PathValue("name"))
	})
	return mux
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address to serve on")
	flag.Parse()

	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	server, err := nethttp.New(newMux(), http1.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := engine.Listen("tcp", *listen, server.Open)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal kills the program
	fmt.Printf("http://%v/\n", ln.Addr())

	if err := engine.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
