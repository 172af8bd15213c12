// Gnet measures github.com/panjf2000/gnet/v2. It has no HTTP: see
// common.Cheap.
package main

import (
	"log"
	"runtime"

	"github.com/eddynet/eddy/bench/internal/common"
	"github.com/panjf2000/gnet/v2"
	"github.com/panjf2000/gnet/v2/pkg/logging"
)

func main() {
	address, raw := common.Start()
	handler := gnet.EventHandler(&web{http: common.NewCheap("gnet")})
	if raw {
		handler = &echo{}
	}
	log.Fatal(gnet.Run(handler, "tcp://"+address,
		gnet.WithNumEventLoop(runtime.GOMAXPROCS(0)),
		gnet.WithLogLevel(logging.ErrorLevel)))
}

type web struct {
	gnet.BuiltinEventEngine
	http *common.Cheap
	out  []byte // of the only loop
}

func (s *web) OnTraffic(c gnet.Conn) gnet.Action {
	in, err := c.Peek(-1)
	if err != nil {
		return gnet.Close
	}
	out, used := s.http.Answer(s.out[:0], in)
	s.out = out
	if _, err := c.Discard(used); err != nil {
		return gnet.Close
	}
	if _, err := c.Write(out); err != nil {
		return gnet.Close
	}
	return gnet.None
}

type echo struct{ gnet.BuiltinEventEngine }

func (*echo) OnTraffic(c gnet.Conn) gnet.Action {
	in, err := c.Next(-1)
	if err != nil {
		return gnet.Close
	}
	if _, err := c.Write(in); err != nil {
		return gnet.Close
	}
	return gnet.None
}
