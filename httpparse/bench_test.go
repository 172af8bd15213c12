package httpparse

import (
	"strings"
	"testing"
)

// kittyRequest is the 703-byte request with which many parsers are measured.
const kittyRequest = "GET /wp-content/uploads/2010/03/hello-kitty-darth-vader-pink.jpg HTTP/1.1\r\n" +
	"Host: www.kittyhell.com\r\n" +
	"User-Agent: Mozilla/5.0 (Macintosh; U; Intel Mac OS X 10.6; ja-JP-mac; rv:1.9.2.3) Gecko/20100401 Firefox/3.6.3 " +
	"Pathtraq/0.9\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n" +
	"Accept-Language: ja,en-us;q=0.7,en;q=0.3\r\n" +
	"Accept-Encoding: gzip,deflate\r\n" +
	"Accept-Charset: Shift_JIS,utf-8;q=0.7,*;q=0.7\r\n" +
	"Keep-Alive: 115\r\n" +
	"Connection: keep-alive\r\n" +
	"Cookie: wp_ozh_wsa_visits=2; wp_ozh_wsa_visit_lasttime=xxxxxxxxxx; " +
	"__utma=xxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.x; " +
	"__utmz=xxxxxxxxx.xxxxxxxxxx.x.x.utmccn=(referral)|utmcsr=reader.livedoor.com|utmcct=/reader/|utmcmd=referral\r\n\r\n"

const plaintextRequest = "GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"

// browserRequest is what a present-day browser sends to a site that has set some cookies.
var browserRequest = "GET /articles/2024/05/the-long-road-home?utm_source=newsletter&utm_medium=email HTTP/1.1\r\n" +
	"Host: www.example.org\r\n" +
	"Connection: keep-alive\r\n" +
	"Cache-Control: max-age=0\r\n" +
	"sec-ch-ua: \"Chromium\";v=\"124\", \"Google Chrome\";v=\"124\", \"Not-A.Brand\";v=\"99\"\r\n" +
	"sec-ch-ua-mobile: ?0\r\n" +
	"sec-ch-ua-platform: \"Linux\"\r\n" +
	"DNT: 1\r\n" +
	"Upgrade-Insecure-Requests: 1\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8\r\n" +
	"Sec-Fetch-Site: same-origin\r\n" +
	"Sec-Fetch-Mode: navigate\r\n" +
	"Sec-Fetch-User: ?1\r\n" +
	"Sec-Fetch-Dest: document\r\n" +
	"Referer: https://www.example.org/articles/2024/05/\r\n" +
	"Accept-Encoding: gzip, deflate, br, zstd\r\n" +
	"Accept-Language: en-GB,en-US;q=0.9,en;q=0.8,de;q=0.7\r\n" +
	"Cookie: session=" + strings.Repeat("0a1b2c3d4e5f", 20) + "; consent=" + strings.Repeat("yes.", 20) +
	"; _ga=GA1.2.1234567890.1700000000; _gid=GA1.2.987654321.1700000001\r\n\r\n"

func BenchmarkRequest(b *testing.B) {
	for _, bench := range []struct{ name, head string }{
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
				stream = AppendChunk(stream, make([]byte, bench.size))
			}
			stream = append(stream, LastChunk...)
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
