package eddytls_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"io"
	"strings"
	"testing"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/eddytls"
)

// sealer makes records of a client in TLS 1.3 with TLS_AES_128_GCM_SHA256, which crypto/tls
// would not send: key updates above all (RFC 8446 sections 4.6.3, 5.2 and 7).
type sealer struct {
	t      *testing.T
	secret []byte
	aead   cipher.AEAD
	iv     []byte
	seq    byte
}

// newSealer finds the client's secret in the key log. The client has sent no data yet.
func newSealer(t *testing.T, log string) *sealer {
	t.Helper()
	for line := range strings.Lines(log) {
		f := strings.Fields(line)
		if f[0] != "CLIENT_TRAFFIC_SECRET_0" {
			continue
		}
		secret, err := hex.DecodeString(f[2])
		if err != nil || len(secret) != sha256.Size {
			t.Skip("another cipher suite")
		}
		s := &sealer{t: t}
		s.use(secret)
		return s
	}
	t.Fatal("no secret was logged")
	return nil
}

func (s *sealer) expand(label string, size int) []byte {
	label = "tls13 " + label
	info := append([]byte{0, byte(size), byte(len(label))}, label...)
	p, err := hkdf.Expand(sha256.New, s.secret, string(append(info, 0)), size)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

func (s *sealer) use(secret []byte) {
	s.secret = secret
	block, err := aes.NewCipher(s.expand("key", 16))
	if err != nil {
		s.t.Fatal(err)
	}
	if s.aead, err = cipher.NewGCM(block); err != nil {
		s.t.Fatal(err)
	}
	s.iv, s.seq = s.expand("iv", 12), 0
}

func (s *sealer) seal(typ byte, content string) string {
	n := len(content) + 1 + 16
	header := []byte{23, 3, 3, byte(n >> 8), byte(n)}
	nonce := bytes.Clone(s.iv)
	nonce[11] ^= s.seq
	s.seq++
	return string(s.aead.Seal(header, nonce, append([]byte(content), typ), header))
}

// update asks the server to update its keys too.
func (s *sealer) update() string {
	record := s.seal(22, "\x18\x00\x00\x01\x01")
	s.use(s.expand("traffic upd", sha256.Size))
	return record
}

// updating returns a server, the connection to it, and a sealer.
func updating(t *testing.T, p *script) (*memory, *sealer) {
	t.Helper()
	config := clientConfig(tls.VersionTLS13)
	var log bytes.Buffer
	config.KeyLogWriter = &log
	s, conn := inMemory(t, p.Open, eddytls.Options{})
	client := tls.Client(conn, config)
	expect(t, "handshake", client.Handshake(), nil)
	s.Wait(func() bool { return p.conn != nil })
	conn.Received()
	if client.ConnectionState().CipherSuite != tls.TLS_AES_128_GCM_SHA256 {
		t.Skip("another cipher suite")
	}
	return conn, newSealer(t, log.String())
}

func TestKeyUpdatesAreAnswered(t *testing.T) {
	p := &script{data: func(_ *eddy.Conn, in []byte) int { return len(in) }}
	conn, s := updating(t, p)
	conn.Send(s.update() + s.seal(23, "hello"))
	expect(t, "input", string(p.got), "hello")
	expect(t, "answer", len(conn.Received()), 5+5+1+16)
}

// A client asks for key updates and does not read the answers: it is not read itself, as
// with any other output.
func TestUnreadKeyUpdatesAreBounded(t *testing.T) {
	p := &script{data: func(_ *eddy.Conn, in []byte) int { return len(in) }}
	conn, s := updating(t, p)
	conn.SetWindow(0)
	var flood strings.Builder
	for range 20_000 {
		flood.WriteString(s.update() + s.seal(23, "x"))
	}
	conn.Send(flood.String())
	if n := p.conn.Pending(); n > p.conn.Settings().HighWater+64<<10 {
		t.Errorf("%d bytes pending", n)
	}
	expect(t, "full", p.conn.Full(), true)
	conn.SetWindow(1 << 30)
	expect(t, "answers", len(conn.Received()), 20_000*27)
	expect(t, "input", len(p.got), 20_000)
}

// With EnableFullDuplex, which reads all the same, the connection ends.
func TestUnreadKeyUpdatesEndAFullDuplexConnection(t *testing.T) {
	p := &script{
		open: func(c *eddy.Conn) { c.EnableFullDuplex() },
		data: func(_ *eddy.Conn, in []byte) int { return len(in) },
	}
	conn, s := updating(t, p)
	conn.SetWindow(0)
	var flood strings.Builder
	for range 20_000 {
		flood.WriteString(s.update() + s.seal(23, "x"))
	}
	conn.Send(flood.String())
	closed, reset := conn.Closed()
	if !closed || !reset || p.err == nil || !strings.Contains(p.err.Error(), "key updates") {
		t.Errorf("closed %v, reset %v, cause %v", closed, reset, p.err)
	}
}

// crypto/tls ends a connection that gets nothing but key updates.
func TestNothingButKeyUpdatesIsAnError(t *testing.T) {
	p := &script{}
	conn, s := updating(t, p)
	var flood strings.Builder
	for range 100 {
		flood.WriteString(s.update())
	}
	conn.Send(flood.String())
	if p.err != nil || !conn.EOF() {
		t.Errorf("end %v, cause %v", conn.EOF(), p.err)
	}
	_ = conn.CloseWrite()
	if closed, reset := conn.Closed(); !closed || reset || p.err == nil {
		t.Errorf("closed %v, reset %v, cause %v", closed, reset, p.err)
	}
}

// After Detach, a net.Conn reads and writes with TLS, by two goroutines, while the client
// updates keys.
func TestDetachedConnection(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		detached := make(chan func() (io.ReadWriteCloser, []byte, error), 1)
		p := &script{data: func(c *eddy.Conn, in []byte) int {
			if bytes.HasSuffix(in, []byte(".")) {
				c.PauseRead()
				_, _ = c.WriteString("pending, ")
				_ = c.Ref().Do(func(c *eddy.Conn) {
					conn, rest, err := c.Detach()
					detached <- func() (io.ReadWriteCloser, []byte, error) { return conn, rest, err }
				})
			}
			return 0
		}}
		l := listen(t, endpoint(t, p.Open, eddytls.Options{}).Open, eddy.Options{})
		client := tls.Client(l.connect(t), clientConfig(version))
		if _, err := io.WriteString(client, "kept."); err != nil {
			t.Fatal(err)
		}
		conn, rest, err := await(t, "Detach", detached)()
		if err != nil {
			t.Fatal(err)
		}
		expect(t, "unused input", string(rest), "kept.")
		text := pattern(2 << 20)
		echoed := make(chan error, 1)
		go func() {
			_, err := io.Copy(conn, conn)
			if err == nil {
				err = conn.(interface{ CloseWrite() error }).CloseWrite()
			}
			echoed <- err
		}()
		go func() {
			_, _ = io.WriteString(client, text) // a part that is missing is seen below
			_ = client.CloseWrite()
		}()
		reads(t, client, "pending, "+text)
		if n, err := client.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%d bytes, %v at the end", n, err)
		}
		expect(t, "copying", await(t, "the end of the copy", echoed), nil)
		expect(t, "Close", conn.Close(), nil)
	})
}

// Input of a detached connection that is cut off is not complete.
func TestDetachedConnectionSeesTruncation(t *testing.T) {
	detached := make(chan io.ReadWriteCloser, 1)
	p := &script{data: func(c *eddy.Conn, in []byte) int {
		c.PauseRead()
		_ = c.Ref().Do(func(c *eddy.Conn) {
			conn, _, err := c.Detach()
			if err != nil {
				t.Error(err)
			}
			detached <- conn
		})
		return len(in)
	}}
	l := listen(t, endpoint(t, p.Open, eddytls.Options{}).Open, eddy.Options{})
	socket := l.connect(t)
	client := tls.Client(socket, clientConfig(tls.VersionTLS13))
	_, _ = io.WriteString(client, "?")
	conn := await(t, "Detach", detached)
	defer conn.Close()
	_, _ = io.WriteString(client, "beginning")
	reads(t, conn, "beginning")
	_ = socket.CloseWrite()
	if n, err := conn.Read(make([]byte, 1)); n != 0 || err != io.ErrUnexpectedEOF {
		t.Errorf("%d bytes, %v", n, err)
	}
}
