// Nethttp measures net/http.
package main

import (
	"log"
	"net/http"

	"github.com/eddynet/eddy/bench/internal/common"
	"github.com/eddynet/eddy/bench/internal/std"
)

func main() {
	address, _ := common.Start()
	log.Fatal(http.ListenAndServe(address, std.Handler("nethttp")))
}
