// Sse sends an event every second to every client, until it closes. A page shows the
// events in a browser:
//
//	go run ./examples/sse
//	curl -N http://127.0.0.1:8080/events
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"log"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

//go:embed page.html
var page string

// clock tells the time at every tick.
type clock struct{ every time.Duration }

func (s clock) serve(w *http1.Response, r *http1.Request) {
	switch string(r.Path()) {
	case "/":
		w.SetHeader("Content-Type", "text/html; charset=utf-8")
		w.WriteString(page)
	case "/events":
		s.events(w, r)
	default:
		w.SetStatus(404)
	}
}

// events streams in the format text/event-stream. Each event has a number; a browser
// that reconnects sends the last number it received. Everything here runs on the
// connection's loop.
func (s clock) events(w *http1.Response, r *http1.Request) {
	number, _ := strconv.Atoi(string(r.Header("Last-Event-ID"))) // 0 without one
	w.SetHeader("Content-Type", "text/event-stream")
	w.SetHeader("Cache-Control", "no-store")
	loop, stream := w.Loop(), w.Stream()

	gone := false
	stream.OnGone(func(error) { gone = true })
	var tick func()
	tick = func() {
		if gone || loop.Draining() {
			stream.Finish() // a drain waits for it
			return
		}
		number++
		if stream.Room() { // a slow client misses events
			fmt.Fprintf(stream, "id: %d\ndata: %s\n\n", number, time.Now().Format(time.TimeOnly))
		}
		loop.After(s.every, tick)
	}
	tick()
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address to serve on")
	every := flag.Duration("every", time.Second, "time between two events")
	flag.Parse()

	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	server, err := http1.New(clock{*every}.serve, http1.Options{})
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
