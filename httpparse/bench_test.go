package httpparse

import (
	_ "embed"
	"math/rand/v2"
	"strings"
	"testing"
)

// The requests that parsers are measured with; module bench measures others with the
// same.
var (
	//go:embed testdata/requests/small.http
	smallRequest string
	//go:embed testdata/requests/plaintext.http
	plaintextRequest string
	// kittyRequest has 703 bytes, and is the one that most parsers quote.
	//go:embed testdata/requests/kitty.http
	kittyRequest string
	// browserRequest is the request of a present-day browser to a site that has set cookies.
	//go:embed testdata/requests/browser.http
	browserRequest string
)

// With GODEBUG=cpu.avx2=off the scanner is plainLines on every processor.
func BenchmarkRequest(b *testing.B) {
	for _, bench := range []struct{ name, head string }{
		{"small", smallRequest},
		{"plaintext", plaintextRequest},
		{"kitty", kittyRequest},
		{"browser", browserRequest},
	} {
		b.Run(bench.name, func(b *testing.B) {
			buf := []byte(bench.head)
			b.SetBytes(int64(len(buf)))
			b.ReportAllocs()
			var r Request
			for b.Loop() {
				r.Reset()
				if n, err := r.Parse(buf, nil); n != len(buf) || err != nil {
					b.Fatal(n, err)
				}
			}
		})
	}
}

// BenchmarkRequestMixed parses 512 heads in turn: the processor cannot learn their lengths by heart.
func BenchmarkRequestMixed(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	names := strings.Fields("User-Agent Accept Accept-Language Accept-Encoding Referer Cookie DNT Cache-Control Origin X-Forwarded-For")
	heads := make([][]byte, 512)
	for i := range heads {
		head := "GET /" + strings.Repeat("a", random.IntN(60)) + " HTTP/1.1\r\nHost: www.example.org\r\n"
		for range 4 + random.IntN(10) {
			head += names[random.IntN(len(names))] + ": " + strings.Repeat("v", 1+random.IntN(100)) + "\r\n"
		}
		heads[i] = []byte(head + "\r\n")
	}
	var r Request
	for i := 0; b.Loop(); i++ {
		r.Reset()
		if n, err := r.Parse(heads[i%len(heads)], nil); n == 0 || err != nil {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkResponse(b *testing.B) {
	buf := []byte("HTTP/1.1 200 OK\r\nServer: eddy\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n" +
		"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 13\r\n\r\n")
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	var r Response
	for b.Loop() {
		r.Reset()
		if n, err := r.Parse(buf, "GET", nil); n != len(buf) || err != nil {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkRequestInPieces is the 703-byte request in 32 calls.
func BenchmarkRequestInPieces(b *testing.B) {
	buf := []byte(kittyRequest)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	var r Request
	for b.Loop() {
		r.Reset()
		for have := 22; have < len(buf)+22; have += 22 {
			if _, err := r.Parse(buf[:min(have, len(buf))], nil); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkChunked(b *testing.B) {
	for _, bench := range []struct {
		name string
		size int
	}{{"16 B", 16}, {"1 KiB", 1 << 10}, {"16 KiB", 16 << 10}} {
		b.Run(bench.name, func(b *testing.B) {
			var stream []byte
			for len(stream) < 32<<10 {
				stream = appendChunk(stream, make([]byte, bench.size))
			}
			stream = append(stream, lastChunk...)
			b.SetBytes(int64(len(stream)))
			b.ReportAllocs()
			for b.Loop() {
				var d Chunked
				for in := stream; !d.Done(); {
					_, n, err := d.Next(in, nil)
					if err != nil {
						b.Fatal(err)
					}
					in = in[n:]
				}
			}
		})
	}
}
