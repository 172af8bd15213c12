package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/httpparse"
)

// news is the text of the notification.
const news = "It is time."

// dialling bounds the concurrent dials: the kernel drops a SYN when the accept queue is
// full, and retransmits it only after a second.
const dialling = 512

// times are the durations of the phases of a load.
type times struct {
	connect time.Duration // from the first dial until all wait
	notify  time.Duration // from the notification to the last response
}

// load is a number of clients that wait on one server. They run on a separate engine.
type load struct {
	server string // host:port
	want   int64
	right  atomic.Int64
	failed chan error    // the first failure
	done   chan struct{} // closed when all have their response
}

// run connects the clients, calls waiting when all of them wait, and notifies them.
func (l *load) run(ctx context.Context, waiting func()) (t times, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		return t, err
	}
	stopped := make(chan error, 1)
	go func() { stopped <- engine.Run(context.WithoutCancel(ctx)) }()
	defer func() { err = errors.Join(err, engine.Shutdown(context.WithoutCancel(ctx)), <-stopped) }()

	start := time.Now()
	if err := l.connect(ctx, engine); err != nil {
		return t, err
	}
	for n := int64(0); n != l.want; {
		if n, err = ask(ctx, "GET", l.server, "/count", ""); err != nil {
			return t, err
		}
		if err := l.wait(ctx, time.After(time.Millisecond)); err != nil {
			return t, err
		}
	}
	t.connect = time.Since(start)
	waiting()

	start = time.Now()
	n, err := ask(ctx, "POST", l.server, "/notify", news)
	if err != nil {
		return t, err
	}
	if n != l.want {
		return t, fmt.Errorf("%d clients were notified, want %d", n, l.want)
	}
	err = l.wait(ctx, nil)
	t.notify = time.Since(start)
	return t, err
}

// connect dials the connections. Each sends its request in OnOpen.
func (l *load) connect(ctx context.Context, engine *eddy.Engine) error {
	slots := make(chan struct{}, dialling)
	for range l.want {
		select {
		case slots <- struct{}{}:
		case err := <-l.failed:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
		err := engine.Dial("tcp", l.server, waiter{l}.Open, 10*time.Second, func(_ *eddy.Conn, err error) {
			if err != nil {
				l.fail(err)
			}
			<-slots
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// wait waits until all have their response, or until timeout, unless nil.
func (l *load) wait(ctx context.Context, timeout <-chan time.Time) error {
	select {
	case <-l.done:
		return nil
	case <-timeout:
		return nil
	case err := <-l.failed:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%d of %d responses received: %w", l.right.Load(), l.want, ctx.Err())
	}
}

func (l *load) fail(err error) {
	select {
	case l.failed <- err:
	default: // one is enough
	}
}

// ask sends a request whose response is a number.
func ask(ctx context.Context, method, server, path, body string) (int64, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+server+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}

// waiter is the client's protocol. It sends first.
type waiter struct{ load *load }

func (p waiter) Open(c *eddy.Conn) eddy.Handler {
	c.WriteString("GET /wait HTTP/1.1\r\nHost: comet\r\n\r\n")
	return p
}

func (p waiter) OnData(c *eddy.Conn, in []byte) (used int) {
	var fields [8]httpparse.Field // enough for most heads
	head := httpparse.Response{Fields: fields[:0]}
	n, err := head.Parse(in, "GET", nil)
	if err != nil {
		c.Abort(err)
		return 0
	}
	if n == 0 || len(in)-n < int(head.Length) {
		return 0 // the response is not complete
	}
	body := in[n : n+int(head.Length)]
	if head.Status != 200 || head.Framing != httpparse.ContentLength || string(body) != news {
		c.Abort(fmt.Errorf("wrong response: %.300q", in))
		return 0
	}
	if p.load.right.Add(1) == p.load.want {
		close(p.load.done)
	}
	return n + len(body)
}

func (p waiter) OnEvent(c *eddy.Conn, e eddy.Event) (handled bool) {
	switch e {
	case eddy.EventShutdown:
		// A reset leaves nothing behind in the kernel: 10,000 ports would otherwise be
		// unavailable for a minute.
		c.Abort(nil)
		return true
	case eddy.EventClosed:
		if err := c.Err(); err != nil {
			p.load.fail(err)
		}
	}
	return false
}
