// Nbio measures github.com/lesismal/nbio: its HTTP server, with WebSocket on
// /ws, or its engine as an echo server.
package main

import (
	"log"
	"net/http"
	"runtime"

	"github.com/eddynet/eddy/bench/internal/common"
	"github.com/eddynet/eddy/bench/internal/std"
	"github.com/lesismal/nbio"
	"github.com/lesismal/nbio/logging"
	"github.com/lesismal/nbio/nbhttp"
	"github.com/lesismal/nbio/nbhttp/websocket"
)

func main() {
	address, echo := common.Start()
	logging.SetLevel(logging.LevelError)
	start := serveHTTP
	if echo {
		start = serveEcho
	}
	if err := start(address); err != nil {
		log.Fatal(err)
	}
	select {}
}

func serveHTTP(address string) error {
	web, socket := std.Handler("nbio"), socket()
	routes := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ws" {
			socket(w, r)
			return
		}
		web.ServeHTTP(w, r)
	}
	return nbhttp.NewServer(nbhttp.Config{
		Network: "tcp",
		Addrs:   []string{address},
		Handler: http.HandlerFunc(routes),
		NPoller: runtime.GOMAXPROCS(0),
	}).Start()
}

// socket echoes each message.
func socket() http.HandlerFunc {
	upgrader := websocket.NewUpgrader()
	upgrader.OnMessage(func(c *websocket.Conn, kind websocket.MessageType, message []byte) {
		if err := c.WriteMessage(kind, message); err != nil {
			c.Close()
		}
	})
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = upgrader.Upgrade(w, r, nil) // Upgrade answers a failure
	}
}

func serveEcho(address string) error {
	engine := nbio.NewEngine(nbio.Config{
		Network: "tcp",
		Addrs:   []string{address},
		NPoller: runtime.GOMAXPROCS(0),
	})
	engine.OnData(func(c *nbio.Conn, in []byte) {
		if _, err := c.Write(in); err != nil {
			c.Close()
		}
	})
	return engine.Start()
}
