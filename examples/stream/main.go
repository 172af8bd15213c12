// Stream sends a response in three pieces: START, MIDDLE and END, with a gap between
// them. The gaps cost no goroutine, so thousands of clients can be served concurrently.
// Curl shows the pieces as they arrive:
//
//	go run ./examples/stream
//	curl -N http://127.0.0.1:8080/
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os/signal"
	"syscall"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

// pieces returns a handler. The handler and its timers run on the connection's loop.
func pieces(gap time.Duration) http1.Handler {
	return func(w *http1.Response, r *http1.Request) {
		w.SetHeader("Content-Type", "text/plain")
		w.WriteString("START\n")
		loop, stream := w.Loop(), w.Stream() // START is sent with the head
		loop.After(gap, func() {
			stream.Write([]byte("MIDDLE\n")) // no effect if the client has closed
			loop.After(gap, func() {
				stream.Write([]byte("END\n"))
				stream.Finish()
			})
		})
	}
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address to serve on")
	gap := flag.Duration("gap", 2*time.Second, "time between two pieces")
	flag.Parse()

	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	server, err := http1.New(pieces(*gap), http1.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := engine.Listen("tcp", *listen, server.Open)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%v/\n", ln.Addr())

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal kills the program
	if err := engine.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
