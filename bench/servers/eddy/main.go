// Eddy measures the engine itself.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"log"
	"strconv"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/bench/internal/common"
	"github.com/eddynet/eddy/http1"
)

func main() {
	count := flag.Bool("count", false, "serve /count, which looks at every request's head")
	address, raw := common.Start()
	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	protocol := echo{}.Open
	if !raw {
		var options http1.Options
		if *count {
			options.OnHead = counting
		}
		server, err := http1.New(routes(), options)
		if err != nil {
			log.Fatal(err)
		}
		protocol = server.Open
	}
	if _, err := engine.Listen("tcp", address, protocol); err != nil {
		log.Fatal(err)
	}
	log.Fatal(engine.Run(context.Background()))
}

func routes() http1.Handler {
	big := common.Big()
	block := http1.Blocking(func(w *http1.Response, r *http1.Request) {
		time.Sleep(millis(r))
		text(w, "slept")
	}, http1.NewPool(2048, 8192))
	return func(w *http1.Response, r *http1.Request) {
		switch string(r.Path()) {
		case "/plaintext":
			text(w, common.Text)
		case "/json":
			body, err := json.Marshal(common.Hello())
			if err != nil {
				panic(err) // a string can be encoded
			}
			w.SetHeader("Content-Type", "application/json")
			w.Write(body)
		case "/upload":
			text(w, strconv.Itoa(len(r.Body())))
		case "/big":
			send(w, big(common.Number(string(r.Query()))))
		case "/sleep":
			d := w.Defer()
			w.Loop().After(millis(r), func() {
				_ = d.Respond(func(w *http1.Response) { text(w, "slept") }) // fails if the client has closed
			})
		case "/spin":
			common.Spin(common.Number(string(r.Query())))
			text(w, common.Spun)
		case "/block":
			block(w, r)
		case "/count": // counting writes the response
		default:
			w.SetStatus(404)
		}
	}
}

// counting answers /count without buffering the body.
func counting(w *http1.Response, r *http1.Request) {
	if string(r.Path()) != "/count" {
		return
	}
	n := 0
	r.SetMaxBody(common.BigMost)
	r.OnBody(func(chunk []byte, err error) {
		n += len(chunk)
		if err == io.EOF {
			text(w, strconv.Itoa(n))
		}
	})
}

func millis(r *http1.Request) time.Duration {
	return time.Duration(common.Number(string(r.Query()))) * time.Millisecond
}

var plain = func() (h http1.Head) {
	if err := h.Add("Content-Type", "text/plain"); err != nil {
		log.Fatal(err)
	}
	return h
}()

func text(w *http1.Response, s string) {
	w.SetHead(&plain)
	w.WriteString(s)
}

// send writes a body that never changes.
func send(w *http1.Response, body []byte) {
	w.SetHeader("Content-Type", "text/plain")
	w.SetBody(body, nil)
}

type echo struct{}

func (echo) Open(*eddy.Conn) eddy.Handler { return echo{} }

func (echo) OnData(c *eddy.Conn, in []byte) (used int) {
	c.Write(in)
	return len(in)
}

func (echo) OnEvent(*eddy.Conn, eddy.Event) (handled bool) { return false }
