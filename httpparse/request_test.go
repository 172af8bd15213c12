package httpparse

import (
	"strings"
	"testing"
)

const (
	h = "Host: a\r\n"
	g = "GET / HTTP/1.1\r\n"
	p = "POST / HTTP/1.1\r\n" + h
)

// requestRow is one rule: the head without the CRLF that ends it, and the status of the error, 0 for none.
type requestRow struct {
	rule   string
	head   string
	status int
}

func testRequestRows(t *testing.T, rows []requestRow) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			message := row.head + "\r\n"
			got := sameForAllCuts(t, message, func(next cutter) requestOutcome { return requestBy(next, message, nil) })
			if status := statusOf(t, got.Err); status != row.status {
				t.Fatalf("%q: error %v, want status %d", message, got.Err, row.status)
			}
			if row.status == 0 && got.N != len(message) {
				t.Fatalf("%q: length %d, want %d", message, got.N, len(message))
			}
		})
	}
}

func TestRequestLine(t *testing.T) {
	testRequestRows(t, []requestRow{
		{"origin form", "GET /a?b HTTP/1.1\r\n" + h, 0},
		{"absolute form", "GET http://h/ HTTP/1.1\r\n" + h, 0},
		{"absolute form without Host", "GET http://h/ HTTP/1.1\r\n", 400},
		{"absolute form of another scheme", "GET ftp+x.y-1://h/ HTTP/1.1\r\n" + h, 0},
		{"absolute form without path", "GET http://h HTTP/1.1\r\n" + h, 0},
		{"absolute form with query only", "GET http://h?q HTTP/1.1\r\n" + h, 0},
		{"absolute form with port", "GET http://h:80/ HTTP/1.1\r\n" + h, 0},
		{"absolute form with IPv6", "GET http://[::1]:80/ HTTP/1.1\r\n" + h, 0},
		{"absolute form without host", "GET http:/// HTTP/1.1\r\n" + h, 400},
		{"absolute form with userinfo", "GET http://u@h/ HTTP/1.1\r\n" + h, 400},
		{"absolute form with bad port", "GET http://h:x/ HTTP/1.1\r\n" + h, 400},
		{"scheme that begins with a digit", "GET 1http://h/ HTTP/1.1\r\n" + h, 400},
		{"no scheme", "GET ://h/ HTTP/1.1\r\n" + h, 400},
		{"asterisk with OPTIONS", "OPTIONS * HTTP/1.1\r\n" + h, 0},
		{"asterisk with GET", "GET * HTTP/1.1\r\n" + h, 400},
		{"asterisk and more", "OPTIONS */ HTTP/1.1\r\n" + h, 400},
		{"CONNECT", "CONNECT a:443 HTTP/1.1\r\n" + h, 0},
		{"CONNECT IPv6", "CONNECT [2001:db8::1]:443 HTTP/1.1\r\n" + h, 0},
		{"CONNECT without port", "CONNECT a HTTP/1.1\r\n" + h, 400},
		{"CONNECT with empty port", "CONNECT a: HTTP/1.1\r\n" + h, 400},
		{"CONNECT with word for port", "CONNECT a:x HTTP/1.1\r\n" + h, 400},
		{"CONNECT with port 0", "CONNECT a:0 HTTP/1.1\r\n" + h, 400},
		{"CONNECT with port 65536", "CONNECT a:65536 HTTP/1.1\r\n" + h, 400},
		{"CONNECT with empty host", "CONNECT :443 HTTP/1.1\r\n" + h, 400},
		{"CONNECT with a path", "CONNECT / HTTP/1.1\r\n" + h, 400},
		{"CONNECT with absolute form", "CONNECT http://a:443/ HTTP/1.1\r\n" + h, 400},
		{"authority form with GET", "GET a:80 HTTP/1.1\r\n" + h, 400},
		{"relative path", "GET a HTTP/1.1\r\n" + h, 400},
		{"query alone", "GET ?a HTTP/1.1\r\n" + h, 400},
		{"fragment", "GET /#f HTTP/1.1\r\n" + h, 400},
		{"fragment in query", "GET /?q#f HTTP/1.1\r\n" + h, 400},
		{"space in target", "GET /a b HTTP/1.1\r\n" + h, 400},
		{"two spaces before target", "GET  / HTTP/1.1\r\n" + h, 400},
		{"two spaces after target", "GET /  HTTP/1.1\r\n" + h, 400},
		{"tab after method", "GET\t/ HTTP/1.1\r\n" + h, 400},
		{"space before method", " GET / HTTP/1.1\r\n" + h, 400},
		{"space after version", "GET / HTTP/1.1 \r\n" + h, 400},
		{"no target", "GET HTTP/1.1\r\n" + h, 400},
		{"no version", "GET / \r\n" + h, 400},
		{"HTTP/0.9", "GET /\r\n", 400},
		{"colon in method", ":GET / HTTP/1.1\r\n" + h, 400},
		{"NUL in method", "G\x00T / HTTP/1.1\r\n" + h, 400},
		{"quote in method", "G\"T / HTTP/1.1\r\n" + h, 400},
		{"high byte in method", "G\x80T / HTTP/1.1\r\n" + h, 400},
		{"lower case method", "get / HTTP/1.1\r\n" + h, 0},
		{"method of every kind of tchar", "aZ09!#$%&'*+-.^_`|~ / HTTP/1.1\r\n" + h, 0},
		{"one digit version", "GET / HTTP/1\r\n" + h, 400},
		{"no minor version", "GET / HTTP/1.\r\n" + h, 400},
		{"two digit major", "GET / HTTP/01.1\r\n" + h, 400},
		{"two digit minor", "GET / HTTP/1.10\r\n" + h, 400},
		{"letter after version", "GET / HTTP/1.1x\r\n" + h, 400},
		{"letter for minor version", "GET / HTTP/1.x\r\n" + h, 400},
		{"lower case HTTP", "GET / http/1.1\r\n" + h, 400},
		{"space in version", "GET / HTTP/ 1.1\r\n" + h, 400},
		{"HTTP/1.2", "GET / HTTP/1.2\r\n" + h, 0},
		{"version 0.9", "GET / HTTP/0.9\r\n" + h, 505},
		{"version 2.0", "GET / HTTP/2.0\r\n" + h, 505},
		{"version 9.9", "GET / HTTP/9.9\r\n" + h, 505},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
		{"one empty line before", "\r\n" + g + h, 0},
		{"four empty lines before", "\r\n\r\n\r\n\r\n" + g + h, 0},
		{"five empty lines before", "\r\n\r\n\r\n\r\n\r\n" + g + h, 400},
		{"bare CR before", "\r" + g + h, 400},
		{"bare LF before", "\n" + g + h, 400},
		{"LF alone", "GET / HTTP/1.1\n" + h, 400},
		{"CR alone", "GET / HTTP/1.1\r" + h, 400},
		{"method of 32 bytes", strings.Repeat("M", 32) + " / HTTP/1.1\r\n" + h, 0},
		{"method of 33 bytes", strings.Repeat("M", 33) + " / HTTP/1.1\r\n" + h, 501},
	})
}

func TestTargetBytes(t *testing.T) {
	for c := range 256 {
		for _, before := range []string{"/", "/?", "/aaaaaaa", "/?aaaaaaaaaaaa", "http://h/"} {
			message := "GET " + before + string([]byte{byte(c)}) + "z HTTP/1.1\r\n" + h + "\r\n"
			got := sameForAllCuts(t, message, func(next cutter) requestOutcome { return requestBy(next, message, nil) })
			bad := c <= ' ' || c >= 0x7f || c == '#'
			if (got.Err != nil) != bad {
				t.Errorf("%q: %v", message, got.Err)
			}
		}
	}
}

func TestFieldBytes(t *testing.T) {
	for c := range 256 {
		b := string([]byte{byte(c)})
		for _, pad := range []string{"", "abcd", "abcdefgh", "abc-efgh-jkl"} {
			name := g + h + pad + b + "x: 1\r\n\r\n"
			got := sameForAllCuts(t, name, func(next cutter) requestOutcome { return requestBy(next, name, nil) })
			if ok := IsToken(b) || c == ':' && pad != ""; (got.Err == nil) != ok {
				t.Errorf("%q: %v", name, got.Err)
			}
			value := g + h + "X: " + pad + b + pad + "\r\n\r\n"
			got = sameForAllCuts(t, value, func(next cutter) requestOutcome { return requestBy(next, value, nil) })
			if ok := IsFieldValue(b); (got.Err == nil) != ok {
				t.Errorf("%q: %v", value, got.Err)
			}
		}
	}
}

func TestFieldLines(t *testing.T) {
	testRequestRows(t, []requestRow{
		{"LF alone", g + h + "X: 1\n", 400},
		{"CR in value", g + h + "X: a\rb\r\n", 400},
		{"NUL in value", g + h + "X: a\x00b\r\n", 400},
		{"tab and high bytes in value", g + h + "X: a\tb\x80\xff\r\n", 0},
		{"folded with space", g + h + "X: a\r\n b\r\n", 400},
		{"folded with tab", g + h + "X: a\r\n\tb\r\n", 400},
		{"space before the first field", g + " " + h, 400},
		{"tab before the first field", g + "\t" + h, 400},
		{"space before colon", g + h + "X : 1\r\n", 400},
		{"tab before colon", g + h + "X\t: 1\r\n", 400},
		{"empty name", g + h + ": v\r\n", 400},
		{"no colon", g + h + "X\r\n", 400},
		{"bracket in name", g + h + "X[: 1\r\n", 400},
		{"parenthesis in name", g + h + "X(: 1\r\n", 400},
		{"slash in name", g + h + "X/: 1\r\n", 400},
		{"at in name", g + h + "X@: 1\r\n", 400},
		{"brace in name", g + h + "X{: 1\r\n", 400},
		{"quote in name", g + h + "X\": 1\r\n", 400},
		{"space in name", g + h + "X Y: 1\r\n", 400},
		{"control in name", g + h + "X\x01: 1\r\n", 400},
		{"high byte in name", g + h + "X\x80: 1\r\n", 400},
		{"empty value", g + h + "X:\r\n", 0},
		{"CR X at the end", g + h + "\r\n\rX"[2:], 400},
		{"split name", p + "Transfer-\r\nEncoding: chunked\r\n", 400},
		{"underscores are no hyphens", p + "Transfer_Encoding: chunked\r\nContent_Length: x\r\n", 0},
		{"128 fields", g + h + strings.Repeat("X: 1\r\n", 127), 0},
		{"129 fields", g + h + strings.Repeat("X: 1\r\n", 128), 431},
		{"5000 fields", g + h + strings.Repeat("X: 1\r\n", 5000), 431},
	})
}

func TestValuesAreTrimmedOfSpaceAndTabOnly(t *testing.T) {
	message := g + h + "A: \t a \t\r\nB:b\r\nC: \t \r\nD: d\x85\r\nE: \xa0e \xa0\r\n\r\n"
	got := sameForAllCuts(t, message, func(next cutter) requestOutcome { return requestBy(next, message, nil) })
	want := "Host: a|A: a|B: b|C: |D: d\x85|E: \xa0e \xa0"
	if fields := strings.Join(got.Fields, "|"); fields != want {
		t.Errorf("got %q, want %q", fields, want)
	}
}

func TestHost(t *testing.T) {
	for _, host := range []string{"a:80", "a:", "[::1]:80", "[::1]", "1.2.3.4", "a.b-c_d~e", "a%20b", "[v1.x:y]", "a:65535", "a:0"} {
		testRequestRows(t, []requestRow{{"valid " + host, g + "Host: " + host + "\r\n", 0}})
	}
	for _, host := range []string{"a, b", "a b", "u@a", "a/p", "{", "\xff", "", ":80", "a:x", "a:65536", "a:80:80", "a?", "a#",
		"a%2", "a%", "a%zz", "a%2", "[]", "[::1", "::1", "[::1]x", "[::1]:x", "[1.2.3.4]", "[v1.]", "[v.a]", "[vx]", "a\tb", "[::1%25lo]"} {
		testRequestRows(t, []requestRow{{"invalid " + host, g + "Host: " + host + "\r\n", 400}})
	}
	testRequestRows(t, []requestRow{
		{"missing", g, 400},
		{"missing in 1.2", "GET / HTTP/1.2\r\n", 400},
		{"twice", g + h + h, 400},
		{"twice in other case", g + h + "hOST: b\r\n", 400},
		{"missing in 1.0", "GET / HTTP/1.0\r\n", 0},
		{"once in 1.0", "GET / HTTP/1.0\r\n" + h, 0},
		{"twice in 1.0", "GET / HTTP/1.0\r\n" + h + h, 400},
		{"empty in 1.0", "GET / HTTP/1.0\r\nHost:\r\n", 400},
		{"bad with absolute form", "GET http://h/ HTTP/1.1\r\nHost: a b\r\n", 400},
	})
}

func TestContentLength(t *testing.T) {
	for value, want := range map[string]int64{"5": 5, "0": 0, "005": 5, "\t5": 5, "5 ": 5, "9223372036854775807": 1<<63 - 1} {
		var r Request
		buf := []byte(p + "Content-Length: " + value + "\r\n\r\n")
		if n, err := r.Parse(buf, nil); n != len(buf) || err != nil || r.Framing != ContentLength || r.Length != want {
			t.Errorf("%q: %d, %v, framing %d, length %d", value, n, err, r.Framing, r.Length)
		}
	}
	for _, value := range []string{"+5", "-1", "-0", "0x5", "0o5", "1_0", "1 0", "5a", "1e1", "5.0", ",5", "5,", "\"5\"", "5, 5", "5, 6",
		"", " ", "99999999999999999999", "9223372036854775808", "18446744073709551621", "\xb5"} {
		testRequestRows(t, []requestRow{{"refused " + value, p + "Content-Length: " + value + "\r\n", 400}})
	}
	testRequestRows(t, []requestRow{
		{"two values", p + "Content-Length: 5\r\nContent-Length: 6\r\n", 400},
		{"the same value twice", p + "Content-Length: 5\r\ncontent-length: 5\r\n", 400},
		{"GET with a body", g + h + "Content-Length: 5\r\n", 0},
	})
}

func TestTransferEncoding(t *testing.T) {
	for _, value := range []string{"chunked", "Chunked", "\tchunked", "chunked "} {
		var r Request
		buf := []byte(p + "Transfer-Encoding: " + value + "\r\n\r\n")
		if n, err := r.Parse(buf, nil); n != len(buf) || err != nil || r.Framing != ChunkedBody {
			t.Errorf("%q: %d, %v, framing %d", value, n, err, r.Framing)
		}
	}
	for value, status := range map[string]int{
		"chunked, gzip": 400, "gzip": 400, "xchunked": 400, "identity": 400, "gzip, chunked": 501, "identity, chunked": 501,
		"chunked, chunked": 400, "chunked;a=b": 400, "": 400, ",chunked": 400, "chunked,": 400, "\x0bchunked": 400,
		"\xffchunked": 400, "\"chunked\"": 400, "chunkedchunked": 400, "gzip;q=1, chunked": 400, "gzip,,chunked": 400,
		"chunked, gzip, chunked": 400, "gzip chunked": 400, "\r\n chunked": 400,
	} {
		testRequestRows(t, []requestRow{{"refused " + value, p + "Transfer-Encoding: " + value + "\r\n", status}})
	}
	const te = "Transfer-Encoding: chunked\r\n"
	testRequestRows(t, []requestRow{
		{"before Content-Length", p + te + "Content-Length: 5\r\n", 400},
		{"after Content-Length", p + "Content-Length: 5\r\n" + te, 400},
		{"in 1.0", "POST / HTTP/1.0\r\n" + te, 400},
		{"chunked, then identity", p + te + "Transfer-Encoding: identity\r\n", 400},
		{"gzip, then chunked", p + "Transfer-Encoding: gzip\r\n" + te, 501},
		{"two lines", p + te + te, 400},
		{"space before colon", p + "Transfer-Encoding : chunked\r\n", 400},
	})
}
