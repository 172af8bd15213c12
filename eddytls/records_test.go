package eddytls

import (
	"bytes"
	"crypto/tls"
	"reflect"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/loop"
)

func TestLargeRecordsAreReadAlone(t *testing.T) {
	var stream []byte
	for _, size := range []int{10, 16000, 16000, 0, 1, 3000} {
		stream = append(stream, 23, 3, 3, byte(size>>8), byte(size))
		stream = append(stream, bytes.Repeat([]byte{1}, size)...)
	}
	for _, piece := range []int{1, 3, 7, 100, 1 << 20} {
		var r records
		for rest := stream; len(rest) > 0; {
			n := min(len(rest), piece, r.limit())
			r.passed(rest[:n])
			rest = rest[n:]
		}
		if r.left != 0 || r.known != 0 {
			t.Errorf("pieces of %d: %+v at the end of a record", piece, r)
		}
	}
	var r records
	r.passed([]byte{23, 3, 3, 0x40, 0, 1})
	if got := r.limit(); got != 0x4000-1 {
		t.Errorf("limit %d", got)
	}
	r.passed(make([]byte, 0x4000-1))
	if got := r.limit(); got != 0x4000+recordHeader {
		t.Errorf("limit %d at the end of a large record", got)
	}
}

// crypto/tls keeps a buffer for one record, however many come at once.
func TestBufferOfCryptoTLSIsBounded(t *testing.T) {
	server, client, _, out := handshaken(t, tls.VersionTLS13)
	content := make([]byte, 4<<20)
	if _, err := client.Write(content); err != nil {
		t.Fatal(err)
	}
	l := &layer{Transport: &input{in: out.out}, tls: server}
	server.NetConn().(*switched).Conn = (*wire)(l)
	n, err := 0, error(nil)
	for p := make([]byte, 64<<10); n < len(content) && err == nil; {
		var m int
		m, err = l.Read(p)
		n += m
	}
	if n != len(content) || err != nil {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if kept := reflect.ValueOf(server).Elem().FieldByName("rawInput").FieldByName("buf").Cap(); kept > 24<<10 {
		t.Errorf("it keeps %d bytes", kept)
	} else {
		t.Logf("it keeps %d bytes", kept)
	}
}

// input is a transport whose input is given.
type input struct {
	loop.Transport
	in []byte
}

func (i *input) Read(p []byte) (int, error) {
	if len(i.in) == 0 {
		return 0, unix.EAGAIN
	}
	n := copy(p, i.in)
	i.in = i.in[n:]
	return n, nil
}
