// Adapter measures eddy with a net/http handler.
package main

import (
	"context"
	"log"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/bench/internal/common"
	"github.com/eddynet/eddy/bench/internal/std"
	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/nethttp"
)

func main() {
	address, _ := common.Start()
	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	server, err := nethttp.New(std.Handler(""), http1.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := engine.Listen("tcp", address, server.Open); err != nil {
		log.Fatal(err)
	}
	log.Fatal(engine.Run(context.Background()))
}
