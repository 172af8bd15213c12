package main_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/eddynet/eddy/examples/internal/program"
)

func TestMain(m *testing.M) { program.Main(m) }

// start returns the running proxy, its address, and its upstream listener.
func start(t *testing.T) (*program.Program, string, *net.TCPListener) {
	t.Helper()
	upstream, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { upstream.Close() })
	p := program.Start(t, "-listen", "127.0.0.1:0", "-to", upstream.Addr().String())
	line := p.Stdout.Line("proxy on ")
	address, to, _ := bytes.Cut([]byte(line), []byte(" to "))
	if string(to) != upstream.Addr().String() {
		t.Fatalf("stdout: %q", line)
	}
	return p, string(address), upstream
}

// pair returns both ends of a connection through the proxy, with a deadline of Patience.
func pair(t *testing.T, address string, upstream *net.TCPListener) (client, server *net.TCPConn) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, program.Patience)
	if err != nil {
		t.Fatal(err)
	}
	client = conn.(*net.TCPConn)
	t.Cleanup(func() { client.Close() })
	late := time.Now().Add(program.Patience)
	if err := errors.Join(client.SetDeadline(late), upstream.SetDeadline(late)); err != nil {
		t.Fatal(err)
	}
	if server, err = upstream.AcceptTCP(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if err := server.SetDeadline(late); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// noise returns n pseudo-random bytes.
func noise(n int, seed byte) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b) // never fails
	return b
}

// sent sends data and shuts down the sending direction, on another goroutine.
func sent(conn *net.TCPConn, data []byte) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := conn.Write(data)
		done <- errors.Join(err, conn.CloseWrite())
	}()
	return done
}

// receives expects exactly these bytes and the end of input.
func receives(t *testing.T, conn *net.TCPConn, want []byte) {
	t.Helper()
	got, err := io.ReadAll(conn)
	if err != nil {
		t.Fatalf("%v after %d bytes of %d", err, len(got), len(want))
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("received %d bytes of %d, or other bytes", len(got), len(want))
	}
}

func TestFiveMegabytesBothWays(t *testing.T) {
	p, address, upstream := start(t)
	client, server := pair(t, address, upstream)
	question, answer := noise(5<<20, 1), noise(5<<20, 2)
	asked, answered := sent(client, question), sent(server, answer)
	received := make(chan struct{})
	go func() {
		defer close(received)
		if got, err := io.ReadAll(server); err != nil || !bytes.Equal(got, question) {
			t.Errorf("upstream got %d bytes of %d, %v", len(got), len(question), err)
		}
	}()
	receives(t, client, answer)
	<-received
	if err := errors.Join(<-asked, <-answered); err != nil {
		t.Error(err)
	}
	p.Signal(syscall.SIGTERM)
	p.ExitsCleanly()
}

// An end of input is relayed, and does not end the other direction.
func TestHalfCloseIsPassedOn(t *testing.T) {
	_, address, upstream := start(t)
	for _, clientFirst := range []bool{true, false} {
		one, other := pair(t, address, upstream)
		if !clientFirst {
			one, other = other, one
		}
		if err := <-sent(one, []byte("question")); err != nil {
			t.Fatal(err)
		}
		receives(t, other, []byte("question"))
		if err := <-sent(other, []byte("answer")); err != nil {
			t.Fatal(err)
		}
		receives(t, one, []byte("answer"))
	}
}

// A side that does not read stops the other, and nothing is lost.
func TestBackpressureIsPassedOn(t *testing.T) {
	const size = 64 << 20 // more than all buffers of the kernel on the path
	data := noise(size, 3)
	for name, toServer := range map[string]bool{"client to upstream": true, "upstream to client": false} {
		t.Run(name, func(t *testing.T) {
			p, address, upstream := start(t)
			writer, reader := pair(t, address, upstream)
			if !toServer {
				writer, reader = reader, writer
			}
			before := memory(p.PID())
			n := writeUntilStalled(t, writer, data)
			if n == size {
				t.Fatalf("all %d bytes were accepted without a reader", n)
			}
			// The limit is far above the bounded buffers, and far below the size of the data.
			if grown := memory(p.PID()) - before; grown > 32<<20 {
				t.Errorf("after %d bytes the proxy's memory has grown by %d", n, grown)
			}
			rest := sent(writer, data[n:])
			receives(t, reader, data)
			if err := <-rest; err != nil {
				t.Error(err)
			}
		})
	}
}

// writeUntilStalled writes until the kernel accepts nothing for half a second. It
// returns the number of bytes written.
func writeUntilStalled(t *testing.T, conn *net.TCPConn, data []byte) (n int) {
	t.Helper()
	for n < len(data) {
		if err := conn.SetWriteDeadline(time.Now().Add(500 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		m, err := conn.Write(data[n:min(n+64<<10, len(data))])
		n += m
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
	if err := conn.SetWriteDeadline(time.Now().Add(program.Patience)); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRefusalReachesTheClient(t *testing.T) {
	p, address, upstream := start(t)
	upstream.Close()
	// The reset may arrive before Dial returns.
	if conn, err := net.DialTimeout("tcp", address, program.Patience); err == nil {
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(program.Patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the connection ended with %v, want a reset", err)
		}
	} else if !errors.Is(err, syscall.ECONNRESET) {
		t.Fatal(err)
	}
	p.Stderr.Line("") // the reason is logged
	p.Signal(syscall.SIGTERM)
	p.ExitsCleanly()
}

// The server sends everything before it reads, while all buffers towards it are full. If
// a full output queue stopped reading on the same connection, the relay would wait for
// the server, and the server for the relay.
func TestServerThatSendsBeforeItReads(t *testing.T) {
	const size = 64 << 20 // more than all buffers of the kernel on the path
	_, address, upstream := start(t)
	client, server := pair(t, address, upstream)
	question, answer := noise(size, 4), noise(size, 6)
	n := writeUntilStalled(t, client, question)
	if n == size {
		t.Fatal("the buffers never filled: the test is void")
	}
	rest := sent(client, question[n:])
	answered := sent(server, answer)
	receives(t, client, answer)
	receives(t, server, question)
	if err := errors.Join(<-rest, <-answered); err != nil {
		t.Error(err)
	}
}

// A server may answer before it has read the request, and never read it.
func TestEarlyAnswerReachesAClientThatIsStillSending(t *testing.T) {
	_, address, upstream := start(t)
	client, server := pair(t, address, upstream)
	n := writeUntilStalled(t, client, noise(64<<20, 5))
	const answer = "HTTP/1.1 413 Content Too Large\r\n\r\n"
	if err := <-sent(server, []byte(answer)); err != nil {
		t.Fatal(err)
	}
	if n == 64<<20 {
		t.Fatal("the buffers never filled: the test is void")
	}
	receives(t, client, []byte(answer))
}
