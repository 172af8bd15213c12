package loop

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// tempFile opens a file of its own with the content. Who it is given to closes it.
func tempFile(t *testing.T, content []byte) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() }) // it is closed already, if all went well
	return f
}

func TestSendFileSendsTheRange(t *testing.T) {
	onBoth(t, func(t *testing.T, pair pairKind) {
		content := pattern(3 << 20)
		for _, c := range []struct{ offset, n int }{
			{0, 0}, {0, 1}, {len(content) - 1, 1}, {7, 100_000}, {0, len(content)},
		} {
			r := newRig(t)
			r.settings.MaxOutput = 1 << 30
			conn, peer := r.open(pair, &script{})
			f := tempFile(t, content)
			_, _ = conn.WriteString("head:")
			if err := conn.SendFile(f, int64(c.offset), int64(c.n)); err != nil {
				t.Fatal(err)
			}
			_, _ = conn.WriteString(":tail")
			conn.Close()
			r.until("the end arrives", peer.all)
			want := append(append([]byte("head:"), content[c.offset:c.offset+c.n]...), ":tail"...)
			if !bytes.Equal(peer.got, want) || !peer.eof {
				t.Errorf("range %d of %d: got %d bytes, want %d, then %v", c.offset, c.n, len(peer.got), len(want), peer.err)
			}
			if f.Close() == nil {
				t.Error("the file was left open")
			}
		}
	})
}

// What came is not the whole: the peer must be able to tell.
func TestShortFileAborts(t *testing.T) {
	r := newRig(t)
	p := &script{}
	c, peer := r.open(tcpPair, p)
	f := tempFile(t, []byte("0123456789"))
	if err := c.SendFile(f, 5, 100); err != nil {
		t.Fatal(err)
	}
	c.Close()
	r.until("the connection ends", p.ended)
	p.expect(t, "open", "close:"+errFileShort.Error())
	r.until("the end reaches the peer", peer.all)
	if peer.err != unix.ECONNRESET {
		t.Errorf("the peer got %q and then an orderly end, want a reset", peer.got)
	}
	if f.Close() == nil {
		t.Error("the file was left open")
	}
}

func TestSendFileOfSomethingElseAborts(t *testing.T) {
	r := newRig(t)
	p := &script{}
	c, peer := r.open(tcpPair, p)
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SendFile(dir, 0, 10)
	r.until("the connection ends", p.ended)
	r.until("the end reaches the peer", peer.all)
	if peer.err != unix.ECONNRESET {
		t.Errorf("the peer saw an orderly end, want a reset: %q", p.calls)
	}
}

func TestSendFileRefusesANegativeRange(t *testing.T) {
	for _, bad := range []struct{ offset, n int64 }{{0, -1}, {-1, 5}} {
		r := newRig(t)
		c, peer := r.open(unixPair, &script{})
		_, _ = c.WriteString("before ")
		f := tempFile(t, []byte("0123456789"))
		if err := c.SendFile(f, bad.offset, bad.n); err == nil {
			t.Errorf("range %d of %d: no error", bad.offset, bad.n)
			continue
		}
		if f.Close() == nil {
			t.Error("the file was left open")
		}
		_, _ = c.WriteString("after")
		r.until("the rest arrives", peer.has("before after"))
	}
}
