package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// client is one connection. Its deadline is the end of the trial.
type client struct {
	*net.TCPConn
	r *bufio.Reader
}

// answer is a complete response.
type answer struct {
	status int
	close  bool // Connection: close
	header http.Header
	body   string
}

func dial(ctx context.Context, address string) (*client, error) { return dialBuffer(ctx, address, 0) }

// dialSmall minimizes the kernel's receive buffer.
func dialSmall(ctx context.Context, address string) (*client, error) {
	return dialBuffer(ctx, address, 4<<10)
}

func dialBuffer(ctx context.Context, address string, receive int) (*client, error) {
	d := net.Dialer{Timeout: 10 * time.Second}
	if receive > 0 {
		d.Control = func(_, _ string, raw syscall.RawConn) error {
			var err error
			cerr := raw.Control(func(fd uintptr) {
				err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, receive)
			})
			return errors.Join(cerr, err)
		}
	}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if end, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(end); err != nil {
			return nil, err
		}
	}
	tcp := conn.(*net.TCPConn)
	return &client{tcp, bufio.NewReader(tcp)}, nil
}

func get(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n" }

func post(path, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
}

func (c *client) send(s string) error {
	_, err := io.WriteString(c, s)
	return err
}

// head reads the head of a response.
func (c *client) head() (*http.Response, error) { return http.ReadResponse(c.r, nil) }

func (c *client) answer() (answer, error) {
	r, err := c.head()
	if err != nil {
		return answer{}, err
	}
	body, err := io.ReadAll(r.Body)
	return answer{r.StatusCode, r.Close, r.Header, string(body)}, err
}

func (c *client) do(request string) (answer, error) {
	if err := c.send(request); err != nil {
		return answer{}, err
	}
	return c.answer()
}

// want makes a request and expects a 200 with this body.
func (c *client) want(request, body string) error {
	a, err := c.do(request)
	if err != nil {
		return err
	}
	if a.status != 200 || a.body != body {
		return fmt.Errorf("%.40q: response %d, %.60q", request, a.status, a.body)
	}
	return nil
}

// reset ends the connection with RST, which leaves no port in TIME_WAIT.
func (c *client) reset() {
	_ = c.SetLinger(0) // an error leaves an orderly close
	_ = c.Close()
}

// ended reads to the end of the connection or an error, and returns the time since from.
func (c *client) ended(from time.Time) time.Duration {
	_, _ = io.Copy(io.Discard, c.r)
	return time.Since(from)
}

// closeAll resets all connections, except nil ones.
func closeAll(clients []*client) {
	for _, c := range clients {
		if c != nil {
			c.reset()
		}
	}
}

// dialMany makes n connections with bounded concurrency.
func dialMany(ctx context.Context, address string, n int, dial func(context.Context, string) (*client, error)) ([]*client, error) {
	clients := make([]*client, n)
	const workers = 64
	err := parallel(workers, func(w int) error {
		for i := w; i < n; i += workers {
			c, err := dial(ctx, address)
			if err != nil {
				return fmt.Errorf("connection %d: %w", i, err)
			}
			clients[i] = c
		}
		return nil
	})
	if err != nil {
		closeAll(clients)
	}
	return clients, err
}

// expectStatus makes a request on a new connection. It returns the status of the
// response, or 0 if the connection ended without one.
func expectStatus(ctx context.Context, address, request string) (int, error) {
	c, err := dial(ctx, address)
	if err != nil {
		return 0, err
	}
	defer c.reset()
	a, err := c.do(request)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, nil
	}
	return a.status, err
}

// repeat concatenates n numbered pieces.
func repeat(n int, piece func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(piece(i))
	}
	return b.String()
}
