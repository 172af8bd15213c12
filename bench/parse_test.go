package main

import (
	"bufio"
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eddynet/eddy/httpparse"
	"github.com/valyala/fasthttp"
)

// BenchmarkParse parses the same heads with three parsers. The scenario parser runs it.
// It also runs by itself:
//
//	go test -bench Parse -count 5
//
// The readers of the other parsers are reused, as in their servers.
func BenchmarkParse(b *testing.B) {
	files, err := filepath.Glob("../httpparse/testdata/requests/*.http")
	if err != nil || len(files) == 0 {
		b.Fatal("no requests: ", err)
	}
	for _, file := range files {
		head, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".http")
		for _, parser := range []struct {
			name  string
			parse func(b *testing.B, head []byte)
		}{
			{"eddy", parseEddy},
			{"fasthttp", parseFasthttp},
			{"nethttp", parseNetHTTP},
		} {
			b.Run(name+"/"+parser.name, func(b *testing.B) {
				b.SetBytes(int64(len(head)))
				b.ReportAllocs()
				parser.parse(b, head)
				b.ReportMetric(float64(len(head)), "bytes")
			})
		}
	}
}

func parseEddy(b *testing.B, head []byte) {
	var r httpparse.Request
	for b.Loop() {
		r.Reset()
		if n, err := r.Parse(head, nil); n != len(head) || err != nil {
			b.Fatal(n, err)
		}
	}
}

func parseFasthttp(b *testing.B, head []byte) {
	var h fasthttp.RequestHeader
	source := bytes.NewReader(head)
	r := bufio.NewReaderSize(source, 4096)
	for b.Loop() {
		source.Reset(head)
		r.Reset(source)
		if err := h.Read(r); err != nil {
			b.Fatal(err)
		}
		if len(h.Host()) == 0 { // fasthttp parses the fields lazily
			b.Fatal("no host")
		}
	}
}

func parseNetHTTP(b *testing.B, head []byte) {
	source := bytes.NewReader(head)
	r := bufio.NewReaderSize(source, 4096)
	for b.Loop() {
		source.Reset(head)
		r.Reset(source)
		if _, err := http.ReadRequest(r); err != nil {
			b.Fatal(err)
		}
	}
}
