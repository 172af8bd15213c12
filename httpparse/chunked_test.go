package httpparse

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

// bodyOutcome is all that a caller can see of a decoded body: N counts its bytes, the trailer section included.
type bodyOutcome struct {
	Data     string
	Done     bool
	N        int
	Err      error
	Trailers []string
}

// bodyBy decodes one chunked body and its trailer section from pieces that next cuts. Each piece is memory of its
// own, and is overwritten once it has been consumed.
func bodyBy(next cutter, stream string, limits *Limits) (o bodyOutcome) {
	var d Chunked
	have := 0
	for have < len(stream) && !d.Done() {
		end := min(next(have, len(stream)), len(stream))
		piece := []byte(stream[have:end])
		for len(piece) > 0 && !d.Done() {
			data, n, err := d.Next(piece, limits)
			o.Data += string(data)
			o.N += n
			if err != nil {
				o.Err = err
				return o
			}
			if n == 0 || len(data) == 0 && n < len(piece) && !d.Done() {
				panic("Next stopped before the end of its input")
			}
			clear(piece[:n])
			piece = piece[n:]
		}
		have = end
	}
	if !d.Done() {
		return o
	}
	rest := stream[o.N:]
	var trailer Trailer
	n, err := feed(rest, next, func(buf []byte) (int, error) { return trailer.Parse(buf, limits) })
	o.Err, o.Done, o.N = err, n > 0, o.N+n
	if o.Done {
		o.Trailers = fieldStrings([]byte(rest), trailer.Fields)
	}
	return o
}

func TestChunkedBodies(t *testing.T) {
	for _, row := range []struct{ name, stream, data, rest string }{
		{"one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello", ""},
		{"upper case size", "A\r\n0123456789\r\n0\r\n\r\n", "0123456789", ""},
		{"lower case size", "a\r\n0123456789\r\n0\r\n\r\n", "0123456789", ""},
		{"leading zeros", "005\r\nhello\r\n000\r\n\r\n", "hello", ""},
		{"16 digits", "0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", "hello", ""},
		{"no data", "0\r\n\r\n", "", ""},
		{"space before an extension", "5 ;a\r\nhello\r\n0\r\n\r\n", "hello", ""},
		{"extension with value", "5;a=b\r\nhello\r\n0\r\n\r\n", "hello", ""},
		{"extension in quotes", "5;a=\"x;y\"\r\nhello\r\n0;z\r\n\r\n", "hello", ""},
		{"extension with quoted pairs", "5;a=\"\\\"\\\\\t\x80\";b\r\nhello\r\n0\r\n\r\n", "hello", ""},
		{"white space around all signs", "5\t ; a \t= \"b\" ;\tc = d ; e\r\nhello\r\n0\r\n\r\n", "hello", ""},
		{"next request after it", "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n", "a", "GET / HTTP/1.1\r\n"},
		{"CRLF as data", "2\r\n\r\n\r\n0\r\n\r\n", "\r\n", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := sameForAllCuts(t, row.stream, func(next cutter) bodyOutcome { return bodyBy(next, row.stream, nil) })
			if got.Err != nil || !got.Done || got.Data != row.data || row.stream[got.N:] != row.rest {
				t.Errorf("%q: %+v", row.stream, got)
			}
		})
	}
}

func TestBadChunks(t *testing.T) {
	for _, row := range []struct{ name, stream string }{
		{"empty size", "\r\n"}, {"space before size", " 5\r\n"}, {"plus", "+5\r\n"}, {"minus", "-1\r\n"}, {"0x", "0x5\r\n"},
		{"underscore", "1_0\r\n"}, {"letter after size", "5x\r\n"}, {"Z", "Z\r\n"}, {"G", "G\r\n"}, {"g", "g\r\n"},
		{"17 digits", "00000000000000005\r\n"}, {"2^63", "8000000000000000\r\n"}, {"2^64-1", "FFFFFFFFFFFFFFFF\r\n"},
		{"space after size", "5 \r\n"}, {"tab after size", "5\t\r\n"}, {"space within size", "5 5\r\n"},
		{"empty extension", "5;\r\n"}, {"bad extension name", "5;bad[=x\r\n"}, {"unbalanced quote", "5;a=\"x\r\n"},
		{"no extension name", "5;=x\r\n"}, {"no extension value", "5;a=\r\n"}, {"space after extension", "5;a \r\n"},
		{"space after value", "5;a=b \r\n"}, {"space after quotes", "5;a=\"b\" \r\n"}, {"two semicolons", "5;;a\r\n"},
		{"letter after quotes", "5;a=\"b\"c\r\n"}, {"two values", "5;a=b=c\r\n"}, {"two words", "5;a b\r\n"},
		{"control in extension", "5;a=\"\x01\"\r\n"}, {"NUL in extension", "5;a\x00\r\n"}, {"DEL in extension", "5;a=\"\x7f\"\r\n"},
		{"CR in quotes", "5;a=\"\r\"\r\n"}, {"CR in extension", "5;a\rb\r\n"}, {"CR as quoted pair", "5;a=\"\\\r\"\r\n"},
		{"LF after size", "5\nhello"}, {"LF after semicolon", "5;\n"}, {"LF after extension", "5;a\n"}, {"CR X after size", "5\rX"},
		{"LF after data", "1\r\na\n0\r\n\r\n"}, {"nothing after data", "1\r\na0\r\n\r\n"}, {"letters after data", "1\r\na!!0\r\n\r\n"},
		{"CR X after data", "1\r\na\rX0\r\n\r\n"}, {"high byte in size", "\xb5\r\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := sameForAllCuts(t, row.stream, func(next cutter) bodyOutcome { return bodyBy(next, row.stream, nil) })
			if statusOf(t, got.Err) != 400 {
				t.Errorf("%q: %+v", row.stream, got)
			}
		})
	}
}

func TestIncompleteChunkedBodies(t *testing.T) {
	for _, stream := range []string{"", "5", "5\r", "5\r\n", "5\r\nhel", "5\r\nhello", "5\r\nhello\r", "5\r\nhello\r\n", "0", "0\r\n",
		"0\r\n\r", "0\r\nX: 1\r\n", "0\r\nX:POST / HTTP/1.1\r\nHost: a\r\n", "7fffffffffffffff\r\na"} {
		got := sameForAllCuts(t, stream, func(next cutter) bodyOutcome { return bodyBy(next, stream, nil) })
		if got.Err != nil || got.Done {
			t.Errorf("%q: %+v", stream, got)
		}
	}
}

func TestExtensionLimit(t *testing.T) {
	for n, want := range map[int]error{19: nil, 20: nil, 21: errExtensionLimit} {
		stream := "1;" + strings.Repeat("a", n-1) + "\r\nx\r\n0\r\n\r\n"
		got := sameForAllCuts(t, stream, func(next cutter) bodyOutcome { return bodyBy(next, stream, &Limits{Extension: 20}) })
		if got.Err != want {
			t.Errorf("%d bytes: %v", n, got.Err)
		}
	}
}

func TestChunkOverheadIsBounded(t *testing.T) {
	long := "1;" + strings.Repeat("a", 200) + "\r\nx\r\n"
	stream := strings.Repeat(long, 1000) + "0\r\n\r\n"
	got := sameForAllCuts(t, stream, func(next cutter) bodyOutcome { return bodyBy(next, stream, nil) })
	if got.Err != errChunkOverhead || got.N > defaultOverhead*5/4 {
		t.Errorf("1-byte chunks with long extensions: %v after %d bytes", got.Err, got.N)
	}
	stream = strings.Repeat("1\r\nx\r\n", 20_000) + "0\r\n\r\n"
	if got := bodyBy(whole, stream, nil); got.Err != nil || !got.Done || len(got.Data) != 20_000 {
		t.Errorf("plain 1-byte chunks: %v", got.Err)
	}
	// A chunk of 1 byte may have 17 bytes of framing. From the second on each has 18 here, the CRLF after the data
	// of the one before included.
	for n, want := range map[int]error{10: nil, 11: nil, 12: errChunkOverhead} {
		stream := strings.Repeat("1;aaaaaaaaaaaa\r\nx\r\n", n)
		got := sameForAllCuts(t, stream, func(next cutter) bodyOutcome { return bodyBy(next, stream, &Limits{Overhead: 10}) })
		if got.Err != want {
			t.Errorf("%d chunks: %v", n, got.Err)
		}
	}
	// A large chunk leaves no credit for later ones.
	stream = "1000\r\n" + strings.Repeat("x", 4096) + "\r\n" + strings.Repeat(long, 1000)
	if got := bodyBy(whole, stream, &Limits{Overhead: 400}); got.Err != errChunkOverhead || got.N > 5000 {
		t.Errorf("after a large chunk: %v after %d bytes", got.Err, got.N)
	}
}

const lastChunk = "0\r\n\r\n" // and no trailer fields

// appendChunk appends data as one chunk, nothing if it is empty: that would end the body.
func appendChunk(dst, data []byte) []byte {
	if len(data) == 0 {
		return dst
	}
	dst = append(AppendChunkHeader(dst, len(data)), data...)
	return append(dst, "\r\n"...)
}

func TestEncodedChunksDecode(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for range 200 {
		var stream, data []byte
		for range random.IntN(6) {
			piece := bytes.Repeat([]byte{byte(random.IntN(256))}, random.IntN(300))
			data = append(data, piece...)
			stream = appendChunk(stream, piece)
		}
		stream = append(stream, lastChunk...)
		got := sameForAllCuts(t, string(stream), func(next cutter) bodyOutcome { return bodyBy(next, string(stream), nil) })
		if got.Err != nil || !got.Done || got.Data != string(data) || got.N != len(stream) {
			t.Fatalf("%q: %+v", stream, got)
		}
	}
}

func TestAppendChunkHeader(t *testing.T) {
	if got := AppendChunkHeader([]byte("x"), 255); string(got) != "xff\r\n" {
		t.Errorf("%q", got)
	}
}
