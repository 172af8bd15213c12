// Package adapted serves httptest servers with eddy. The overlay of this module's tests
// makes httptest call it.
package adapted

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/nethttp"
)

// Mark begins the line that Listen writes to standard error, followed by the name of the
// test's function.
const Mark = "an eddy engine serves "

// poll is the interval at which a server checks whether the test has closed it or has
// disabled keep-alives.
const poll = 5 * time.Millisecond

// Listen serves the connections of ln on an engine, with the handler and the settings of
// s. It returns a listener for s.Serve that accepts nothing; closing it stops the engine
// after its last connection. For servers with TLS, with HTTP/2 or with another kind of
// listener, it returns ln: net/http serves them. keepAlives reports the setting made by
// SetKeepAlivesEnabled and Shutdown.
func Listen(s *http.Server, ln net.Listener, keepAlives func() bool) net.Listener {
	tcp, ok := ln.(*net.TCPListener)
	if !ok || s.TLSConfig != nil || s.Protocols != nil {
		return ln
	}
	fmt.Fprintf(os.Stderr, "\n%s%s\n", Mark, caller())
	served, err := serve(s, tcp)
	if err != nil {
		panic(err)
	}
	go served.watch(keepAlives)
	return served
}

// caller is the outermost test function on the stack, or the outermost function called by
// one whose name begins with test, such as net/http_test.testClientHead.
func caller() (name string) {
	pc := make([]uintptr, 64)
	frames := runtime.CallersFrames(pc[:runtime.Callers(2, pc)])
	for more := true; more; {
		var frame runtime.Frame
		frame, more = frames.Next()
		slash := strings.LastIndex(frame.Function, "/") + 1
		parts := strings.Split(frame.Function[slash:], ".")
		if len(parts) > 1 && strings.HasPrefix(strings.ToLower(parts[1]), "test") && parts[0] != "testing" {
			name = frame.Function[:slash] + parts[0] + "." + parts[1]
		}
	}
	return name
}

// listener accepts nothing for net/http. The engine accepts instead.
type listener struct {
	addr     net.Addr
	engine   *eddy.Engine
	protocol *http1.Server
	accepts  *eddy.Listener
	close    sync.Once
	closed   chan struct{}
	ended    chan struct{} // the engine has returned
}

func serve(s *http.Server, tcp *net.TCPListener) (*listener, error) {
	logger := slog.Default()
	if s.ErrorLog != nil {
		logger = slog.New(slog.DiscardHandler) // the adapter logs to ErrorLog
	}
	engine, err := eddy.New(eddy.Options{Loops: 1, DrainGrace: time.Millisecond, Logger: logger})
	if err != nil {
		return nil, err
	}
	l := &listener{addr: tcp.Addr(), engine: engine, closed: make(chan struct{}), ended: make(chan struct{})}
	if l.protocol, err = nethttp.NewServer(s, http1.Options{ServerName: "-", AllowConnect: true}); err != nil {
		return nil, err
	}
	if l.accepts, err = engine.Serve(tcp, l.protocol.Open); err != nil {
		return nil, err
	}
	go func() {
		defer close(l.ended)
		if err := engine.Run(context.Background()); err != nil {
			slog.Error("the engine of an httptest server", "error", err)
		}
	}()
	return l, nil
}

// Accept blocks until Close.
func (l *listener) Accept() (net.Conn, error) {
	<-l.closed
	return nil, net.ErrClosed
}

// Addr is the address of the engine's listener.
func (l *listener) Addr() net.Addr { return l.addr }

// Close closes the engine's listener.
func (l *listener) Close() error {
	err := net.ErrClosed
	l.close.Do(func() {
		close(l.closed)
		err = l.accepts.Close()
	})
	return err
}

// watch forwards the keep-alive setting to the protocol, and ends the engine when the
// listener is closed and no connection is open.
func (l *listener) watch(keepAlives func() bool) {
	enabled := true
	for tick := time.Tick(poll); ; <-tick {
		if now := keepAlives(); now != enabled {
			enabled = now
			l.protocol.SetKeepAlivesEnabled(enabled)
		}
		select {
		case <-l.ended:
			return
		case <-l.closed:
			if l.engine.Stats().Open() == 0 {
				_ = l.engine.Shutdown(context.Background()) // Run returns the error
			}
		default:
		}
	}
}
