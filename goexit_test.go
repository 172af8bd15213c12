package eddy_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/eddynet/eddy"
)

// exiting ends the goroutine that calls it, as testing.T.FailNow does.
type exiting struct{ closed chan error }

func (p exiting) Open(*eddy.Conn) eddy.Handler { return p }

func (exiting) OnData(*eddy.Conn, []byte) int {
	runtime.Goexit()
	return 0
}

func (p exiting) OnEvent(c *eddy.Conn, e eddy.Event) (handled bool) {
	if e == eddy.EventClosed {
		p.closed <- c.Err()
	}
	return false
}

// A loop whose goroutine is ended by a callback does not disappear silently: the engine
// stops, and says why.
func TestGoexitInACallbackStopsTheEngine(t *testing.T) {
	for _, loops := range []int{1, 2} {
		e := newEngine(t, eddy.Options{Loops: loops})
		p := exiting{make(chan error, 1)}
		ln := listen(t, e, "tcp", "127.0.0.1:0", p.Open)
		result := run(e)
		conn := dial(t, ln.Addr())
		if _, err := io.WriteString(conn, "x"); err != nil {
			t.Fatal(err)
		}
		receive(t, p.closed, "the connection ends")
		if err := receive(t, result, "Run returns"); !errors.Is(err, eddy.ErrGoexit) {
			t.Errorf("Run: %v, want ErrGoexit", err)
		}
		if err := e.Shutdown(context.Background()); !errors.Is(err, eddy.ErrGoexit) {
			t.Errorf("Shutdown: %v, want ErrGoexit", err)
		}
		if n := e.Stats().Panics; n != 1 {
			t.Errorf("%d panics counted, want 1", n)
		}
	}
}
