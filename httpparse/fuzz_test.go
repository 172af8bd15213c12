package httpparse

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// tight are limits that a fuzzer reaches.
var tight = Limits{RequestLine: 40, Method: 8, Head: 200, Field: 40, Fields: 5, EmptyLines: 2, Extension: 12, Overhead: 60, Trailer: 60,
	TrailerFields: 2}

var defaults = Limits{}.WithDefaults()

var requestSeeds = []string{
	plaintextRequest, kittyRequest, browserRequest,
	"\r\n" + p + "Content-Length: 5\r\n\r\nhello",
	p + "Transfer-Encoding: chunked\r\n\r\n5;a=\"b\"\r\nhello\r\n0\r\nX: 1\r\n\r\n",
	p + "Transfer-Encoding: gzip, chunked\r\n\r\n",
	"GET http://u:80/p?q HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close, upgrade\r\nUpgrade: x\r\nExpect: 100-continue\r\n\r\n",
	"OPTIONS * HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	g + "X : 1\r\n\r\n", g + " X: 1\r\n\r\n", g + h + "X: a\r\n b\r\n\r\n", g + h + "X: \x00\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: [1:2:3:4:5:6:7::]\r\n\r\n", "GET / HTTP/1.1\r\nHost: [::1.2.3.4]\r\n\r\n",
}

// FuzzRequestCuts checks that the parser has one outcome for every way of cutting the input.
func FuzzRequestCuts(f *testing.F) {
	for _, seed := range requestSeeds {
		f.Add(seed, uint64(1))
	}
	f.Fuzz(func(t *testing.T, message string, seed uint64) {
		for _, limits := range []*Limits{nil, &tight} {
			want := requestBy(whole, message, limits)
			if got := requestBy(randomly(seed), message, limits); !reflect.DeepEqual(got, want) {
				t.Fatalf("%q in random cuts:\n got %+v\nwant %+v", message, got, want)
			}
			if len(message) > 2000 {
				continue
			}
			if got := requestBy(bytewise, message, limits); !reflect.DeepEqual(got, want) {
				t.Fatalf("%q byte by byte:\n got %+v\nwant %+v", message, got, want)
			}
		}
	})
}

// FuzzRequestReference compares with the parser written from the grammar.
func FuzzRequestReference(f *testing.F) {
	for _, seed := range requestSeeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		if len(message) > 400 {
			return
		}
		for _, limits := range []Limits{defaults, tight} {
			compareWithReference(t, message, limits)
		}
	})
}

func compareWithReference(t *testing.T, message string, limits Limits) {
	t.Helper()
	want := referenceRequest(message, limits)
	var r Request
	buf := []byte(message)
	n, err := r.Parse(buf, &limits)
	if n != want.n || statusOf(t, err) != want.status {
		t.Fatalf("%q: got %d, %v, want %d, status %d", message, n, err, want.n, want.status)
	}
	if n == 0 {
		return
	}
	var fields [][2]string
	for _, f := range r.Fields {
		fields = append(fields, [2]string{string(f.Name.Of(buf)), string(f.Value.Of(buf))})
	}
	got := &refRequest{n: n, method: string(r.Method.Of(buf)), target: string(r.Target.Of(buf)), host: string(r.Host.Of(buf)),
		fields: fields, minor: r.Minor, framing: r.Framing, length: r.Length, keepAlive: r.KeepAlive,
		path: string(r.Path.Of(buf)), query: string(r.Query.Of(buf)),
		inTarget: want.inTarget, line: want.line, empty: want.empty, lines: want.lines}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%q:\n got %+v\nwant %+v", message, got, want)
	}
}

// FuzzNetHTTP checks that net/http reads the accepted messages in the same way. It may differ in these cases:
//   - empty lines before the request, which its ReadRequest leaves to the server: cut off here
//   - targets that net/url cannot parse, such as a bad percent-encoding or a scheme of its own kind
//   - a Trailer field that names a forbidden field
//   - Pragma, to which it adds a Cache-Control
func FuzzNetHTTP(f *testing.F) {
	for _, seed := range requestSeeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		var r Request
		buf := []byte(message)
		n, err := r.Parse(buf, nil)
		if n == 0 || err != nil {
			return
		}
		if _, pragma := r.Fields.Get(buf, "Pragma"); pragma {
			return
		}
		if _, trailer := r.Fields.Get(buf, "Trailer"); trailer {
			return
		}
		body, bodyErr := wholeBody(&r, message[n:])
		theirs, err := http.ReadRequest(bufio.NewReader(strings.NewReader(message[r.Method.Start:])))
		var bad *url.Error
		if errors.As(err, &bad) {
			return
		}
		if err != nil {
			t.Fatalf("%q: net/http refuses: %v", message, err)
		}
		if theirs.Method != string(r.Method.Of(buf)) || theirs.RequestURI != string(r.Target.Of(buf)) {
			t.Fatalf("%q: method %q, target %q", message, theirs.Method, theirs.RequestURI)
		}
		compareFields(t, buf, &r, theirs)
		if bodyErr == nil {
			theirBody, err := io.ReadAll(theirs.Body)
			if err != nil || !bytes.Equal(theirBody, body) {
				t.Fatalf("%q: body %q, %v, want %q", message, theirBody, err, body)
			}
		}
	})
}

func compareFields(t *testing.T, buf []byte, r *Request, theirs *http.Request) {
	t.Helper()
	ours := http.Header{}
	for _, f := range r.Fields {
		name := textproto.CanonicalMIMEHeaderKey(string(f.Name.Of(buf)))
		if name != "Host" && name != "Transfer-Encoding" {
			ours[name] = append(ours[name], string(f.Value.Of(buf)))
		}
	}
	for name, values := range ours {
		if !slices.Equal(theirs.Header[name], values) {
			t.Fatalf("%q: %s: net/http has %q, we have %q", buf, name, theirs.Header[name], values)
		}
	}
	if len(ours) != len(theirs.Header) {
		t.Fatalf("%q: net/http has %q, we have %q", buf, theirs.Header, ours)
	}
}

// wholeBody returns the body of r at the beginning of rest, or an error when it is malformed or incomplete.
func wholeBody(r *Request, rest string) ([]byte, error) {
	switch r.Framing {
	case ContentLength:
		if r.Length > int64(len(rest)) {
			return nil, io.ErrUnexpectedEOF
		}
		return []byte(rest[:r.Length]), nil
	case ChunkedBody:
		body := bodyBy(whole, rest, nil)
		if body.Err == nil && !body.Done {
			return nil, io.ErrUnexpectedEOF
		}
		return []byte(body.Data), body.Err
	}
	return nil, nil
}

// FuzzChunkedCuts checks that the decoder and the trailer parser have one outcome for every way of cutting the input.
func FuzzChunkedCuts(f *testing.F) {
	for _, seed := range []string{"5\r\nhello\r\n0\r\n\r\n", "5 ;a = \"\\\"\" ;b\r\nhello\r\n000;c\r\nX: 1\r\n\r\nGET", "0\r\nHost: a\r\n\r\n",
		"7fffffffffffffff\r\n", "1\r\nx\n", "5;\r\n", strings.Repeat("1;a=b\r\nx\r\n", 20)} {
		f.Add(seed, uint64(1))
	}
	f.Fuzz(func(t *testing.T, stream string, seed uint64) {
		if len(stream) > 2000 {
			return
		}
		for _, limits := range []*Limits{nil, &tight} {
			want := bodyBy(whole, stream, limits)
			for _, next := range []cutter{bytewise, randomly(seed)} {
				if got := bodyBy(next, stream, limits); !reflect.DeepEqual(got, want) {
					t.Fatalf("%q:\n got %+v\nwant %+v", stream, got, want)
				}
			}
		}
	})
}

// FuzzChunkedInverse checks that Chunked decodes the chunks that AppendChunkHeader begins.
func FuzzChunkedInverse(f *testing.F) {
	f.Add([]byte("hello"), uint64(1))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		var stream []byte
		for have, next := 0, randomly(seed); have < len(data); {
			end := min(next(have, len(data)), len(data))
			stream = appendChunk(stream, data[have:end])
			have = end
		}
		stream = append(stream, lastChunk...)
		got := bodyBy(randomly(seed+1), string(stream), nil)
		if got.Err != nil || !got.Done || got.Data != string(data) || got.N != len(stream) {
			t.Fatalf("%q: %+v", stream, got)
		}
	})
}

// FuzzResponseCuts checks that the response parser has one outcome for every way of cutting the input.
func FuzzResponseCuts(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", uint64(1))
	f.Add("HTTP/1.1 101 \r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", uint64(2))
	f.Add("HTTP/1.0 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", uint64(3))
	f.Fuzz(func(t *testing.T, message string, seed uint64) {
		if len(message) > 2000 {
			return
		}
		for _, limits := range []*Limits{nil, &tight} {
			want := responseBy(whole, message, "GET", limits)
			for _, next := range []cutter{bytewise, randomly(seed)} {
				if got := responseBy(next, message, "GET", limits); !reflect.DeepEqual(got, want) {
					t.Fatalf("%q:\n got %+v\nwant %+v", message, got, want)
				}
			}
		}
	})
}
