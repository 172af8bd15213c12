package httpparse

import (
	"strings"
	"testing"
)

func TestTrailers(t *testing.T) {
	for _, row := range []struct {
		name, section string
		status        int
		fields        string
	}{
		{"none", "\r\n", 0, ""},
		{"one", "X: 1\r\n\r\n", 0, "X: 1"},
		{"two", "X: 1\r\nY:\t2 \r\n\r\n", 0, "X: 1|Y: 2"},
		{"Content-Length", "Content-Length: 5\r\n\r\n", 400, ""},
		{"Transfer-Encoding", "X: 1\r\ntransfer-encoding: chunked\r\n\r\n", 400, ""},
		{"Host", "HOST: a\r\n\r\n", 400, ""},
		{"LF alone", "X: 1\n\r\n", 400, ""},
		{"LF at the end", "X: 1\r\n\n", 400, ""},
		{"fold", "X: 1\r\n 2\r\n\r\n", 400, ""},
		{"white space first", " X: 1\r\n\r\n", 400, ""},
		{"bad name", "X[: 1\r\n\r\n", 400, ""},
		{"space before colon", "X : 1\r\n\r\n", 400, ""},
		{"control in value", "X: \x01\r\n\r\n", 400, ""},
		{"32 fields", strings.Repeat("X: 1\r\n", 32) + "\r\n", 0, strings.Repeat("|X: 1", 32)[1:]},
		{"33 fields", strings.Repeat("X: 1\r\n", 33) + "\r\n", 431, ""},
		{"8192 bytes", "X: " + strings.Repeat("a", 8192-7) + "\r\n\r\n", 0, "X: " + strings.Repeat("a", 8192-7)},
		{"8193 bytes", "X: " + strings.Repeat("a", 8193-7) + "\r\n\r\n", 431, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			stream := "0\r\n" + row.section
			got := sameForAllCuts(t, stream, func(next cutter) bodyOutcome { return bodyBy(next, stream, nil) })
			if statusOf(t, got.Err) != row.status || row.status == 0 && got.N != len(stream) {
				t.Fatalf("%+v", got)
			}
			if fields := strings.Join(got.Trailers, "|"); fields != row.fields {
				t.Errorf("%q", fields)
			}
		})
	}
}

func TestTrailerFieldIsFound(t *testing.T) {
	var trailer Trailer
	buf := []byte("Checksum: abc\r\n\r\n")
	if n, err := trailer.Parse(buf, nil); n != len(buf) || err != nil {
		t.Fatal(n, err)
	}
	if v, ok := trailer.Fields.Get(buf, "checksum"); !ok || string(v) != "abc" {
		t.Errorf("%q, %v", v, ok)
	}
	if trailer.Reset(); len(trailer.Fields) != 0 {
		t.Error("fields after Reset")
	}
}
