// Comet lets clients wait for a notification to all of them, as chats and tickers did
// before WebSocket. A waiting client costs no goroutine.
//
//	go run ./examples/comet                      # it prints its URL
//	curl http://127.0.0.1:8080/wait              # in as many terminals as you like
//	curl http://127.0.0.1:8080/count             # how many wait
//	curl -d 'lunch is ready' http://127.0.0.1:8080/notify
//
// A benchmark with 10,000 clients, compared with net/http:
//
//	go run ./examples/comet -bench
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

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address to serve on")
	useNetHTTP := flag.Bool("nethttp", false, "serve with net/http, for comparison")
	benchmark := flag.Bool("bench", false, "measure both servers, each in a process of its own")
	clients := flag.Int("load", 0, "measure a running server with this many clients, instead of serving")
	server := flag.String("server", "127.0.0.1:8080", "with -load: the server's address")
	pid := flag.Int("pid", 0, "with -load: the server's process, to measure that too")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal kills the program
	var err error
	switch {
	case *benchmark:
		err = bench(ctx, *clients)
	case *clients > 0:
		err = report(ctx, *clients, *server, *pid)
	case *useNetHTTP:
		err = serveNetHTTP(ctx, *listen)
	default:
		err = serve(ctx, *listen)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// serve serves a room until ctx is done.
func serve(ctx context.Context, listen string) error {
	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		return err
	}
	m := newRoom()
	server, err := http1.New(m.serve, http1.Options{})
	if err != nil {
		return err
	}
	ln, err := engine.Listen("tcp", listen, server.Open)
	if err != nil {
		return err
	}
	fmt.Printf("http://%v/\n", ln.Addr())
	context.AfterFunc(ctx, m.close) // Run waits for every response
	return engine.Run(ctx)
}
