// Nbio is github.com/lesismal/nbio, to be measured: its HTTP server, or its engine
// as an echo server.
package main

import (
	"log"
	"runtime"

	"github.com/eddynet/eddy/bench/internal/common"
	"github.com/eddynet/eddy/bench/internal/std"
	"github.com/lesismal/nbio"
	"github.com/lesismal/nbio/logging"
	"github.com/lesismal/nbio/nbhttp"
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
	return nbhttp.NewServer(nbhttp.Config{
		Network: "tcp",
		Addrs:   []string{address},
		Handler: std.Handler("nbio"),
		NPoller: runtime.GOMAXPROCS(0),
	}).Start()
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
