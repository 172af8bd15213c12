package workers_test

import (
	"context"
	"log"
	"net"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/workers"
)

// The same program is supervisor and worker. See examples/workers for signals.
func Example() {
	worker, err := workers.Current()
	switch {
	case err != nil:
		log.Fatal(err)
	case worker != nil:
		err = serve(context.Background(), worker)
	default:
		err = supervise4(context.Background())
	}
	if err != nil {
		log.Fatal(err)
	}
}

func serve(ctx context.Context, worker *workers.Worker) error {
	engine, err := eddy.New(eddy.Options{Loops: 1})
	if err != nil {
		return err
	}
	hello := func(w *http1.Response, r *http1.Request) { w.WriteString("Hello") }
	server, err := http1.New(hello, http1.Options{})
	if err != nil {
		return err
	}
	for _, f := range worker.Listeners() {
		if _, err := engine.ListenFile(f, server.Open); err != nil {
			return err
		}
	}
	return engine.Run(worker.Report(ctx, engine.Ping))
}

func supervise4(ctx context.Context) error {
	ln, err := net.Listen("tcp", "127.0.0.1:8080")
	if err != nil {
		return err
	}
	supervisor, err := workers.New(workers.Options{Workers: 4, Listeners: []net.Listener{ln}})
	if err != nil {
		return err
	}
	return supervisor.Run(ctx)
}
