package nethttp_test

import (
	"bytes"
	"fmt"
	"log"
	"net/http"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/nethttp"
)

func ExampleNew() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello, %s!", r.PathValue("name"))
	})
	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	server, err := nethttp.New(mux, http1.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := engine.Listen("tcp", "127.0.0.1:0", server.Open); err != nil {
		log.Fatal(err)
	}
	// Run it: engine.Run(ctx)
}

// Some requests go to a net/http handler, the others are answered on the loop.
func ExampleAdapter() {
	files := nethttp.NewAdapter(http.FileServer(http.Dir("public")), nil)
	native := func(w *http1.Response, r *http1.Request) { w.WriteString("Hello, World!") }
	_, _ = http1.New(native, http1.Options{
		OnHead: func(w *http1.Response, r *http1.Request) {
			if bytes.HasPrefix(r.Path(), []byte("/files/")) {
				files.OnHead(w, r)
			}
		},
	})
}
