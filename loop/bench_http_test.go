package loop_test

import (
	"bytes"
	"testing"

	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/loop"
)

// What a request costs in the engine: reading it from the loop's buffer, parsing, a
// short answer with one field of its own, and queueing that, but no system call.
func BenchmarkRequest(b *testing.B) {
	const wrk = "GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"
	const browser = "GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: keep-alive\r\n" +
		"Cache-Control: max-age=0\r\nUpgrade-Insecure-Requests: 1\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n" +
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
		"Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\n\r\n"
	var plain http1.Head
	if err := plain.Add("Content-Type", "text/plain"); err != nil {
		b.Fatal(err)
	}
	handler := func(w *http1.Response, r *http1.Request) {
		if string(r.Path()) != "/plaintext" {
			w.SetStatus(404)
			return
		}
		w.SetHead(&plain)
		w.WriteString("Hello, World!")
	}
	for _, c := range []struct {
		name    string
		conns   int
		request string
		deep    int
	}{
		{"wrk", 64, wrk, 1},
		{"wrk, 4 at a time", 4, wrk, 1},
		{"browser", 64, browser, 1},
		{"of 512 connections", 512, wrk, 1},
		{"of 16 pipelined", 64, wrk, 16},
	} {
		b.Run(c.name, func(b *testing.B) {
			input := bytes.Repeat([]byte(c.request), c.deep)
			server, err := http1.New(handler, http1.Options{})
			if err != nil {
				b.Fatal(err)
			}
			n := loop.BenchCycles(b, server.Open, c.conns, input)
			if n < int64(100*c.deep) || n > int64(200*c.deep) {
				b.Errorf("%d bytes were written for each event, which is not %d answers", n, c.deep)
			}
			if c.deep > 1 {
				b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(c.deep), "ns/request")
			}
		})
	}
}
