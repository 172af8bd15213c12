// Workers is an HTTP server of several processes, which respond with their process ID.
// It prints the process ID of the supervisor, and the URL:
//
//	go build -o server ./examples/workers && ./server -workers 4
//	curl http://127.0.0.1:8080/         # repeat it: several processes answer
//	kill -9 WORKER                      # the worker is replaced
//	kill -HUP SUPERVISOR                # new workers from the binary's path, without downtime
//	kill SUPERVISOR                     # all drain
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/workers"
)

func main() {
	var options workers.Options
	listen := flag.String("listen", "127.0.0.1:8080", "address to serve on")
	flag.IntVar(&options.Workers, "workers", 0, "processes; 0 is one for each processor")
	flag.IntVar(&options.MaxCrashes, "max-crashes", 0, "crashes in a minute that end the program; 0 is 5 for each worker")
	flag.DurationVar(&options.HeartbeatTimeout, "heartbeat", 0, "time after which a silent worker is killed; 0 is 10s")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal kills the program

	worker, err := workers.Current()
	switch {
	case err != nil:
	case worker != nil:
		err = work(ctx, worker)
	default:
		err = supervise(ctx, *listen, options)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// work runs a worker.
func work(ctx context.Context, worker *workers.Worker) error {
	signal.Ignore(syscall.SIGHUP) // handled by the supervisor
	engine, err := eddy.New(eddy.Options{Loops: 1})
	if err != nil {
		return err
	}
	number := strconv.Itoa(os.Getpid())
	hello := func(w *http1.Response, r *http1.Request) {
		w.SetHeader("Content-Type", "text/plain")
		w.WriteString("Hello from " + number + "\n")
	}
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

// supervise keeps the workers running, and replaces them on SIGHUP.
func supervise(ctx context.Context, address string, options workers.Options) error {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	options.Listeners = []net.Listener{ln}
	supervisor, err := workers.New(options)
	if err != nil {
		return err
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		for range hangups {
			_ = supervisor.Replace(ctx) // an error is logged; the old workers stay
		}
	}()
	fmt.Printf("supervisor %d\nhttp://%v/\n", os.Getpid(), ln.Addr())
	return supervisor.Run(ctx)
}
