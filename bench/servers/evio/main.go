// Evio measures github.com/tidwall/evio. It has no HTTP: see common.Cheap.
package main

import (
	"log"

	"github.com/eddynet/eddy/bench/internal/common"
	"github.com/tidwall/evio"
)

func main() {
	address, raw := common.Start()
	events := web()
	if raw {
		events = echo()
	}
	log.Fatal(evio.Serve(events, "tcp://"+address))
}

// web runs on one loop, since GOMAXPROCS is 1 here.
func web() evio.Events {
	http := common.NewCheap("evio")
	var buffer []byte
	return evio.Events{
		NumLoops: 1,
		Opened: func(c evio.Conn) ([]byte, evio.Options, evio.Action) {
			c.SetContext(&evio.InputStream{})
			return nil, evio.Options{}, evio.None
		},
		Data: func(c evio.Conn, in []byte) ([]byte, evio.Action) {
			stream := c.Context().(*evio.InputStream)
			data := stream.Begin(in)
			out, used := http.Answer(buffer[:0], data)
			buffer = out
			stream.End(data[used:])
			return out, evio.None
		},
	}
}

func echo() evio.Events {
	return evio.Events{
		NumLoops: 1,
		Data: func(_ evio.Conn, in []byte) ([]byte, evio.Action) {
			return in, evio.None
		},
	}
}
