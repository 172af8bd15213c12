package main_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/eddynet/eddy/examples/internal/program"
)

func itoa(n int) string { return strconv.Itoa(n) }

// dumped is the response of /dump.
type dumped struct {
	Method     string      `json:"method"`
	Target     string      `json:"target"`
	Path       string      `json:"path"`
	Query      string      `json:"query"`
	Version    string      `json:"version"`
	Fields     [][2]string `json:"fields"`
	BodyLen    int         `json:"body_len"`
	BodySHA256 string      `json:"body_sha256"`
	Trailers   [][2]string `json:"trailers"`
	Remote     string      `json:"remote"`
}

// withBody sets the length and the hash, and defaults of other fields.
func (d dumped) withBody(body string) dumped {
	sum := sha256.Sum256([]byte(body))
	d.BodyLen, d.BodySHA256 = len(body), hex.EncodeToString(sum[:])
	if d.Version == "" {
		d.Version = "1.1"
	}
	if d.Path == "" {
		d.Path = "/dump"
	}
	if d.Trailers == nil {
		d.Trailers = [][2]string{}
	}
	return d
}

// dumpCases are requests and the responses of /dump, without the remote address. All of
// them keep the connection open.
var dumpCases = []struct {
	name    string
	request string
	want    dumped
}{
	{
		"no body",
		"GET /dump?a=b&c=%20?d HTTP/1.1\r\nHost: a\r\n\r\n",
		dumped{
			Method: "GET", Target: "/dump?a=b&c=%20?d", Query: "a=b&c=%20?d",
			Fields: [][2]string{{"Host", "a"}},
		}.withBody(""),
	},
	{
		"fields in their order and case, white space trimmed, beyond ASCII",
		"GET /dump HTTP/1.1\r\nhOsT: a:80\r\nX-Two:1\r\nx-two: \t 2 \t\r\nX-Empty:\r\nX-Byte: \xe4\xff\r\n\r\n",
		dumped{
			Method: "GET", Target: "/dump",
			Fields: [][2]string{{"hOsT", "a:80"}, {"X-Two", "1"}, {"x-two", "2"}, {"X-Empty", ""}, {"X-Byte", "\u00e4\u00ff"}},
		}.withBody(""),
	},
	{
		"body of known length, with every kind of byte",
		"POST /dump HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n\x00\r\n\r\nGET ",
		dumped{
			Method: "POST", Target: "/dump",
			Fields: [][2]string{{"Host", "a"}, {"Content-Length", "9"}},
		}.withBody("\x00\r\n\r\nGET "),
	},
	{
		"chunks with extensions and trailers",
		"PUT /dump HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
			"5\r\nhello\r\n00A;a=b;c=\"x;y\"\r\n0123456789\r\n1\r\n\n\r\n0\r\nX-Trailer: t\r\nX-More:\r\n\r\n",
		dumped{
			Method: "PUT", Target: "/dump",
			Fields:   [][2]string{{"Host", "a"}, {"Transfer-Encoding", "chunked"}},
			Trailers: [][2]string{{"X-Trailer", "t"}, {"X-More", ""}},
		}.withBody("hello0123456789\n"),
	},
	{
		"absolute target",
		"GET http://b:81/dump?q HTTP/1.1\r\nHost: a\r\n\r\n",
		dumped{
			Method: "GET", Target: "http://b:81/dump?q", Query: "q",
			Fields: [][2]string{{"Host", "a"}},
		}.withBody(""),
	},
	{
		"HTTP/1.0 that keeps alive",
		"GET /dump HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		dumped{
			Method: "GET", Target: "/dump", Version: "1.0",
			Fields: [][2]string{{"Connection", "keep-alive"}},
		}.withBody(""),
	},
	{
		"an empty line before, and a method of its own",
		"\r\nget-it /dump HTTP/1.1\r\nHost: a\r\n\r\n",
		dumped{
			Method: "get-it", Target: "/dump",
			Fields: [][2]string{{"Host", "a"}},
		}.withBody(""),
	},
}

// checkDump compares a response of /dump with want.
func checkDump(t *testing.T, how string, a *program.Answer, remote string, want dumped) {
	t.Helper()
	var got dumped
	decode(t, a, &got)
	want.Remote = remote
	if !reflect.DeepEqual(got, want) {
		g, _ := json.Marshal(got)
		w, _ := json.Marshal(want)
		t.Fatalf("%s:\n got %s\nwant %s", how, g, w)
	}
}

func TestDumpOfCompleteRequests(t *testing.T) {
	t.Parallel()
	p := start(t)
	for _, test := range dumpCases {
		t.Run(test.name, func(t *testing.T) {
			c := program.Dial(t, p.address)
			c.Send(test.request)
			checkDump(t, "whole", c.Answer("GET"), c.Conn.LocalAddr().String(), test.want)
		})
	}
}

// Each request is cut in two at every byte. Two round trips on another connection of the
// same loop ensure that the parts are read separately.
func TestDumpOfRequestsCutAtEveryByte(t *testing.T) {
	t.Parallel()
	p := start(t, "-loops", "1")
	c, clock := p.dial(), p.dial()
	for _, test := range dumpCases {
		for cut := 1; cut < len(test.request); cut++ {
			c.Send(test.request[:cut])
			clock.Get("/plaintext")
			clock.Get("/plaintext")
			c.Send(test.request[cut:])
			checkDump(t, test.name+", cut at "+itoa(cut), c.Answer("GET"), c.Conn.LocalAddr().String(), test.want)
		}
	}
}

func TestDumpOfRequestsFedByteByByte(t *testing.T) {
	t.Parallel()
	p := start(t, "-loops", "1")
	c, clock := p.dial(), p.dial()
	for _, test := range dumpCases {
		for i := range test.request {
			c.Send(test.request[i : i+1])
			clock.Get("/plaintext")
			clock.Get("/plaintext")
		}
		checkDump(t, test.name, c.Answer("GET"), c.Conn.LocalAddr().String(), test.want)
	}
}

// All requests form one stream, which is sent in one write and then in pieces of odd
// sizes, so that requests begin and end in the middle of a piece.
func TestDumpOfPipelinedRequests(t *testing.T) {
	t.Parallel()
	p := start(t)
	var stream strings.Builder
	for _, test := range dumpCases {
		stream.WriteString(test.request)
	}
	text := strings.Repeat(stream.String(), 4)
	for _, size := range []int{len(text), 1000, 97, 7} {
		c := p.dial()
		for rest := text; rest != ""; {
			n := min(size, len(rest))
			c.Send(rest[:n])
			rest = rest[n:]
		}
		for round := range 4 {
			for _, test := range dumpCases {
				how := "pieces of " + itoa(size) + ", round " + itoa(round) + ", " + test.name
				checkDump(t, how, c.Answer("GET"), c.Conn.LocalAddr().String(), test.want)
			}
		}
	}
}
