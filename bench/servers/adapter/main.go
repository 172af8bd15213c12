// Adapter measures eddy with a net/http handler.
package main

import (
	"context"
	"log"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/bench/internal/common"
	"github.com/eddynet/eddy/bench/internal/std"
	"github.com/eddynet/eddy/http1"
)

func main() {
	address, _ := common.Start()
	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	server := http1.NetHTTP(std.Handler(""), http1.Options{})
	if _, err := engine.Listen("tcp", address, server.Open); err != nil {
		log.Fatal(err)
	}
	log.Fatal(engine.Run(context.Background()))
}
