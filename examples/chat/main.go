// Chat is a chat page on one server with two transports: clients of long polling and
// clients of WebSocket see the same messages.
//
//	cd examples/chat && go run .                  # it prints its URL: open it in two tabs
//	curl 'http://127.0.0.1:8080/poll?after=0'     # the last messages, or the next one
//	curl --json '{"name":"curl","text":"hi"}' http://127.0.0.1:8080/send
//
// It is a nested module, since it depends on a library for WebSocket frames.
package main

import (
	"context"
	"embed"
	"flag"
	"fmt"
	"log"
	"os/signal"
	"strings"
	"syscall"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

//go:embed page
var files embed.FS

// serve is the handler of the page and of the room.
func (m *room) serve(w *http1.Response, r *http1.Request) {
	switch path := string(r.Path()); path {
	case "/poll":
		m.poll(w, r)
	case "/send":
		m.send(w, r)
	case "/socket":
		m.upgrade(w, r)
	default:
		servePage(w, path)
	}
}

func servePage(w *http1.Response, path string) {
	if path == "/" {
		path = "/index.html"
	}
	text, err := files.ReadFile("page" + path)
	if err != nil {
		w.SetStatus(404)
		return
	}
	_, extension, _ := strings.Cut(path, ".")
	kind := map[string]string{"html": "text/html", "css": "text/css", "js": "text/javascript"}[extension]
	w.SetHeader("Content-Type", kind+"; charset=utf-8")
	w.SetHeader("Content-Security-Policy", "default-src 'self'; img-src data:")
	w.SetHeader("Cache-Control", "no-cache")
	w.Write(text)
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address to serve on")
	flag.Parse()

	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	m := newRoom()
	server, err := http1.New(m.serve, http1.Options{MaxBodyBytes: maxMessage})
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
	context.AfterFunc(ctx, stop)    // a second signal kills the program
	context.AfterFunc(ctx, m.close) // Run waits for every response
	if err := engine.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
