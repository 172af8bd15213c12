package http1_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/eddynet/eddy/http1"
)

// What a server has answered so far. A loop publishes its counts before it waits, which
// may be a moment after the client has its answer.
func ExampleStats() {
	server, err := http1.New(func(w *http1.Response, r *http1.Request) {
		if string(r.Path()) == "/" {
			w.WriteString("found")
			return
		}
		w.SetStatus(http.StatusNotFound)
		w.WriteString("lost")
	}, http1.Options{})
	url, stop := begin(server, err)
	defer stop()
	show(http.Get(url + "/"))
	show(http.Get(url + "/lost"))
	for server.Stats().Responses[4] == 0 {
		time.Sleep(time.Millisecond)
	}
	s := server.Stats()
	fmt.Println(s.Requests, "requests,", s.Responses[2], "answered with 2xx,", s.Responses[4], "with 4xx")
	// Output:
	// 200 OK: found
	// 404 Not Found: lost
	// 2 requests, 1 answered with 2xx, 1 with 4xx
}
