package httpparse_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/eddynet/eddy/httpparse"
)

// The read loop of a server. Two requests arrive back to back, three bytes at a time.
func Example() {
	in := strings.NewReader("POST /notes HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" +
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	const maxBody = 1 << 20
	var head httpparse.Request
	var limits httpparse.Limits // the defaults
	var buf []byte
	size := 0 // of the head in bytes, 0 while it is incomplete
	for piece := make([]byte, 3); ; {
		var err error
		if size == 0 {
			size, err = head.Parse(buf, &limits)
		}
		if err != nil || head.Length > maxBody {
			fmt.Println("refused:", err)
			return
		}
		if end := size + int(head.Length); size > 0 && len(buf) >= end {
			fmt.Printf("%s %s %q\n", head.Method.Of(buf), head.Path.Of(buf), buf[size:end])
			buf = buf[end:] // the next request
			head.Reset()
			size = 0
			continue
		}
		n, err := in.Read(piece)
		if err != nil {
			fmt.Println(err)
			return
		}
		buf = append(buf, piece[:n]...)
	}
	// Output:
	// POST /notes "hello"
	// GET / ""
	// EOF
}

// A head arrives in two pieces. The second call resumes where the first stopped.
func ExampleRequest() {
	var head httpparse.Request
	buf := []byte("GET /search?q=eddy HTTP/1.1\r\nHost: exam")
	n, err := head.Parse(buf, nil)
	fmt.Println(n, err)

	buf = append(buf, "ple.org\r\n\r\n"...)
	n, err = head.Parse(buf, nil)
	fmt.Println(n == len(buf), err)
	fmt.Printf("%s %s %s %s\n", head.Method.Of(buf), head.Host.Of(buf), head.Path.Of(buf), head.Query.Of(buf))
	// Output:
	// 0 <nil>
	// true <nil>
	// GET example.org /search q=eddy
}

func ExampleResponse() {
	var head httpparse.Response
	buf := []byte("HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found")
	n, err := head.Parse(buf, "GET", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(head.Status, string(head.Reason.Of(buf)), head.Framing == httpparse.ContentLength, head.Length)
	fmt.Printf("%s\n", buf[n:])
	// Output:
	// 404 Not Found true 9
	// not found
}

// The body may be used in pieces; only the trailer section must be contiguous.
func ExampleChunked() {
	in := []byte("6\r\nhello \r\n5;name=value\r\nworld\r\n0\r\nChecksum: 42\r\n\r\n")
	var chunks httpparse.Chunked
	for !chunks.Done() {
		data, n, err := chunks.Next(in, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s", data)
		in = in[n:] // when it is empty, read more
	}
	fmt.Println()

	var trailer httpparse.Trailer
	n, err := trailer.Parse(in, nil)
	checksum, _ := trailer.Fields.Get(in, "checksum")
	fmt.Println(n == len(in), err, string(checksum))
	// Output:
	// hello world
	// true <nil> 42
}

func ExampleTrailer() {
	buf := []byte("Expires: 0\r\nChecksum: 42\r\n\r\n")
	var trailer httpparse.Trailer
	n, err := trailer.Parse(buf, nil)
	fmt.Println(n, err, len(trailer.Fields))
	// Output: 28 <nil> 2
}

func ExampleLimits() {
	limits := httpparse.Limits{Fields: 50, Head: 16 << 10}
	buf := []byte("GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X: 1\r\n", 50))
	var head httpparse.Request
	_, err := head.Parse(buf, &limits)
	fmt.Println(err)
	// Output: httpparse: 431: more field lines than the limit (RFC 6585 5)
}

func ExampleError() {
	var head httpparse.Request
	_, err := head.Parse([]byte("GET / HTTP/1.1\r\nHost : a\r\n"), nil)
	var parse *httpparse.Error
	if errors.As(err, &parse) {
		fmt.Println(parse.Status, parse.Rule, parse.Source)
	}
	// Output: 400 white space between a field's name and its colon RFC 9112 5.1
}

func ExampleField() {
	buf := []byte("GET / HTTP/1.1\r\nHost: a\r\nAccept:  text/html \r\n\r\n")
	var head httpparse.Request
	if _, err := head.Parse(buf, nil); err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range head.Fields {
		fmt.Printf("%s=%q\n", f.Name.Of(buf), f.Value.Of(buf))
	}
	// Output:
	// Host="a"
	// Accept="text/html"
}

func ExampleFields() {
	buf := []byte("GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n")
	var head httpparse.Request
	if _, err := head.Parse(buf, nil); err != nil {
		fmt.Println(err)
		return
	}
	accept, ok := head.Fields.Get(buf, "accept")
	fmt.Println(string(accept), ok)
	// Output: text/html true
}

func ExampleSpan() {
	buf := []byte("one two")
	two := httpparse.Span{Start: 4, End: 7}
	fmt.Println(string(two.Of(buf)), two.Len())
	// Output: two 3
}

func ExampleFraming() {
	var head httpparse.Request
	_, err := head.Parse([]byte("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), nil)
	switch head.Framing {
	case httpparse.NoBody:
		fmt.Println("no body", err)
	case httpparse.ContentLength:
		fmt.Println(head.Length, "bytes", err)
	case httpparse.ChunkedBody:
		fmt.Println("chunks", err)
	}
	// Output: chunks <nil>
}

func ExampleTargetForm() {
	var head httpparse.Request
	buf := []byte("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
	_, err := head.Parse(buf, nil)
	fmt.Println(head.Form == httpparse.AsteriskForm, head.Path.Len(), err)
	// Output: true 0 <nil>
}

func ExampleAppendChunkHeader() {
	data := "hello"
	out := httpparse.AppendChunkHeader(nil, len(data))
	out = append(out, data+"\r\n"...)
	out = append(out, "0\r\n\r\n"...) // the last chunk, and no trailer fields
	fmt.Printf("%q\n", out)
	// Output: "5\r\nhello\r\n0\r\n\r\n"
}
