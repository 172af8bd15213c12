package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// row has the figures of one server.
type row struct {
	name                 string
	times                times
	client, server       usage
	base, waiting, after memory
}

// bench measures both servers, one after the other, each in a separate process.
func bench(ctx context.Context, clients int) error {
	if clients == 0 {
		clients = 10_000
	}
	var rows []row
	for _, s := range []struct {
		name string
		args []string
	}{
		{"eddy", nil},
		{"net/http", []string{"-nethttp"}},
	} {
		r, err := measureProcess(ctx, clients, s.args...)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		r.name = s.name
		rows = append(rows, r)
	}
	show(clients, rows)
	fmt.Println("\nFor comparison: a comet server in Python, from whose author the idea is, needed" +
		"\n15.67 s for 10,000 clients: 10.6 s of it in the program, 3.3 s in the kernel.")
	return nil
}

// report measures a running server. pid is its process ID, or 0.
func report(ctx context.Context, clients int, server string, pid int) error {
	r, err := measure(ctx, clients, server, pid)
	if err != nil {
		return err
	}
	r.name = server
	show(clients, []row{r})
	return nil
}

// measureProcess starts this program again as the server, and measures it.
func measureProcess(ctx context.Context, clients int, args ...string) (r row, err error) {
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	server := exec.Command(self, append([]string{"-listen", "127.0.0.1:0"}, args...)...)
	server.Stderr = os.Stderr
	out, err := server.StdoutPipe()
	if err != nil {
		return r, err
	}
	if err := server.Start(); err != nil {
		return r, err
	}
	defer func() {
		err = errors.Join(err, server.Process.Signal(syscall.SIGTERM), server.Wait())
	}()
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return r, err
	}
	address := strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/\n")
	return measure(ctx, clients, address, server.Process.Pid)
}

func measure(ctx context.Context, clients int, server string, pid int) (r row, err error) {
	l := &load{
		server: server,
		want:   int64(clients),
		failed: make(chan error, 1),
		done:   make(chan struct{}),
	}
	r.base = memoryOf(pid)
	clientBefore, serverBefore := ownUsage(), usageOf(pid)
	r.times, err = l.run(ctx, func() { r.waiting = memoryOf(pid) })
	if err != nil {
		return r, err
	}
	r.client, r.server = ownUsage().since(clientBefore), usageOf(pid).since(serverBefore)
	time.Sleep(2 * time.Second) // see releaseMemory
	r.after = memoryOf(pid)
	return r, nil
}

func show(clients int, rows []row) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(name string, cell func(row) any) {
		fmt.Fprint(w, name, "\t")
		for _, r := range rows {
			fmt.Fprint(w, cell(r), "\t")
		}
		fmt.Fprintln(w)
	}
	line(fmt.Sprintf("%d clients", clients), func(r row) any { return r.name })
	line("connect, until all wait", func(r row) any { return r.times.connect.Round(time.Millisecond) })
	line("notify, until the last answer", func(r row) any { return r.times.notify.Round(time.Millisecond) })
	line("together", func(r row) any { return (r.times.connect + r.times.notify).Round(time.Millisecond) })
	line("server, user", func(r row) any { return r.server.user })
	line("server, system", func(r row) any { return r.server.system })
	line("clients, user", func(r row) any { return r.client.user })
	line("clients, system", func(r row) any { return r.client.system })
	line("server's memory, before", func(r row) any { return r.base })
	line("while all wait", func(r row) any { return r.waiting })
	line("two seconds after", func(r row) any { return r.after })
	w.Flush()
}
