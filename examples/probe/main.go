// Probe shows every capability of the engine on one address, for black-box tests.
//
//	cd examples/probe && go run . -listen 127.0.0.1:8080 -echo 127.0.0.1:7000
//
// It is a nested module, since it depends on a library for WebSocket frames. It prints
// one line for each listener, with the bound port, on standard error, and exits with 0
// after a drain.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/asynclog"
	"github.com/eddynet/eddy/http1"
)

func main() {
	log.SetFlags(0)
	if err := run(os.Args[1:]); err != nil {
		fatal(err)
	}
}

// fatal is log.Fatal that does not block if nobody reads standard error.
func fatal(err error) {
	output := asynclog.New(slog.Default().Handler())
	slog.New(output).Error("probe: " + err.Error())
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	_ = output.Flush(ctx) // an error cannot be logged
	cancel()
	os.Exit(1)
}

// addresses is a flag that may be repeated.
type addresses []string

func (a *addresses) String() string     { return strings.Join(*a, " ") }
func (a *addresses) Set(s string) error { *a = append(*a, s); return nil }

func run(args []string) error {
	var (
		listen    addresses
		engine    eddy.Options
		options   http1.Options
		flags     = flag.NewFlagSet("probe", flag.ExitOnError)
		echoAddr  = flags.String("echo", "", "raw TCP echo listener (a custom protocol, no HTTP)")
		accessLog = flags.Bool("access-log", false, "one line per request on standard error")
		tlsAddr   = flags.String("tls", "", "the HTTP routes over TLS (1.2 and 1.3)")
		tlsCert   = flags.String("tls-cert", "", "file of its certificate chain, PEM (default: one for localhost is made)")
		tlsKey    = flags.String("tls-key", "", "file of the private key, PEM")
		pprofAddr = flags.String("pprof", "", "net/http/pprof on an address of its own")
	)
	flags.Var(&listen, "listen", "HTTP listener; may be repeated; unix:PATH for a Unix socket (default 127.0.0.1:8080)")
	flags.IntVar(&engine.Loops, "loops", 0, "reactor loops (default GOMAXPROCS)")
	flags.DurationVar(&options.ReadHeaderTimeout, "header-timeout", 0, "for a head to come")
	flags.DurationVar(&options.ReadTimeout, "body-timeout", 0, "for a body to come")
	flags.DurationVar(&options.IdleTimeout, "idle-timeout", 0, "between requests")
	flags.DurationVar(&options.WriteTimeout, "write-timeout", 0, "for output that is not taken")
	flags.IntVar(&options.Limits.Head, "max-header", 0, "bytes of a head")
	flags.Int64Var(&options.MaxBodyBytes, "max-body", 0, "bytes of a body")
	flags.IntVar(&engine.MaxOutput, "max-output", 0, "bytes of pending output of a connection")
	flags.IntVar(&engine.MaxConns, "max-conns", 0, "open connections")
	flags.DurationVar(&engine.DrainTimeout, "drain", 10*time.Second, "how long a drain may take")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if len(listen) == 0 {
		listen = addresses{"127.0.0.1:8080"}
	}
	if *accessLog {
		options.AccessLog = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	if engine.MaxOutput > 0 {
		engine.HighWater = min(64<<10, max(engine.MaxOutput/2, 1))
	}

	options.OnHead = onHead(options.MaxBodyBytes)

	// Before the addresses are printed, so that their reader can end the program in order.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)

	e, err := eddy.New(engine)
	if err != nil {
		return err
	}
	routes := newRoutes(e, options.MaxBodyBytes)
	server, err := http1.New(routes.serve, options)
	if err != nil {
		return err
	}
	for _, address := range listen {
		if err := open(e, "http", address, server.Open); err != nil {
			return err
		}
	}
	if *tlsAddr != "" {
		secure, err := overTLS(server.Open, *tlsCert, *tlsKey)
		if err != nil {
			return err
		}
		if err := open(e, "https", *tlsAddr, secure); err != nil {
			return err
		}
	}
	if *echoAddr != "" {
		if err := open(e, "echo", *echoAddr, echo{}.Open); err != nil {
			return err
		}
	}
	if *pprofAddr != "" {
		if err := openPprof(*pprofAddr); err != nil {
			return err
		}
	}
	return serve(e, signals)
}

// open listens, and prints the address.
func open(e *eddy.Engine, name, address string, p eddy.Protocol) error {
	network := "tcp"
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", path
	}
	ln, err := e.Listen(network, address, p)
	if err != nil {
		return err
	}
	shown := ln.Addr().String()
	if network == "unix" {
		shown = "unix:" + shown
	}
	fmt.Fprintln(os.Stderr, "listening", name, shown)
	return nil
}

// openPprof serves the profiles of net/http/pprof.
func openPprof(address string) error {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "listening pprof", ln.Addr())
	go func() { log.Print("probe: ", http.Serve(ln, nil)) }()
	return nil
}

// serve runs until a signal begins a drain. A second signal ends the drain.
func serve(e *eddy.Engine, signals <-chan os.Signal) error {
	ctx, drain := context.WithCancel(context.Background())
	defer drain()
	go func() {
		<-signals
		drain()
		<-signals
		forced, cancel := context.WithCancelCause(context.Background())
		cancel(errors.New("forced by a second signal"))
		_ = e.Shutdown(forced) // Run returns the error
	}()
	return e.Run(ctx)
}

// echo is the custom protocol.
type echo struct{}

func (echo) Open(*eddy.Conn) eddy.Handler { return echo{} }

func (echo) OnData(c *eddy.Conn, in []byte) (used int) {
	_, _ = c.Write(in) // a failure ends the connection
	return len(in)
}

func (echo) OnEvent(*eddy.Conn, eddy.Event) (handled bool) { return false }
