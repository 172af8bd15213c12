package main_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/eddynet/eddy/examples/internal/program"
)

func TestMain(m *testing.M) { program.Main(m) }

// start returns the running server and its address.
func start(t *testing.T) (*program.Program, string) {
	t.Helper()
	p := program.Start(t, "-listen", "127.0.0.1:0")
	return p, p.Stdout.Line("echo on ")
}

func TestEchoesUpToTheHalfClose(t *testing.T) {
	p, address := start(t)
	for _, text := range []string{
		"",
		"hello\n",
		strings.Repeat("0123456789abcdef", 1<<16),
	} {
		c := program.Dial(t, address)
		sent := make(chan error, 1)
		go func() {
			_, err := io.WriteString(c.Conn, text)
			if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && err == nil {
				err = half.CloseWrite()
			}
			sent <- err
		}()
		if got := c.Text(len(text)); got != text {
			t.Errorf("the echo of %d bytes differs", len(text))
		}
		c.Ends()
		if err := <-sent; err != nil {
			t.Errorf("send %d bytes: %v", len(text), err)
		}
	}
	p.Signal(syscall.SIGTERM)
	p.ExitsCleanly()
}

func TestDefaultAddressIsInItsUsage(t *testing.T) {
	program.UsageNames(t, `"127.0.0.1:7000"`)
}

// A signal ends a conversation in order: the echo is a prefix of the input, followed by
// an end of input, not by a reset.
func TestSignalEndsConversationsInOrder(t *testing.T) {
	program.EachSignal(t, func(t *testing.T, s os.Signal) {
		p, address := start(t)
		c := program.Dial(t, address)
		message := strings.Repeat("hello ", 100)
		c.Send(message)
		head := c.Text(1)
		p.Signal(s) // while the echo is partly unread
		for rounds := 0; ; rounds++ {
			echo := make([]byte, len(message)-len(head))
			n, err := io.ReadFull(c.Buffered(), echo)
			if got := head + string(echo[:n]); got != message[:len(got)] {
				t.Fatalf("round %d: received %q", rounds, got)
			}
			if err != nil {
				if rounds == 0 || !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("round %d ended with %v", rounds, err)
				}
				break
			}
			head = ""
			if _, err := io.WriteString(c.Conn, message); err != nil {
				t.Errorf("round %d: %v", rounds, err)
				break
			}
		}
		c.Conn.Close()
		p.ExitsCleanly()
	})
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	program.EachSignal(t, func(t *testing.T, s os.Signal) {
		p, address := start(t)
		c := program.Dial(t, address)
		c.Send("x")
		c.Text(1)
		ended := make(chan struct{})
		go func() {
			_, _ = c.Conn.Write(make([]byte, 64<<20)) // the echo is not read: the drain waits for it
			close(ended)
		}()
		p.Signal(s)
		p.AwaitRefusal(address)
		p.DiesOf(s)
		<-ended
	})
}
