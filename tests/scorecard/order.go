package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

// manySenders writes from several goroutines to one stream, whose client reads slowly.
// Each line must arrive once, complete and in order. The engine runs in this process.
func manySenders(t *trial) error {
	const senders, lines = 16, 10_000
	e, err := eddy.New(eddy.Options{})
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	server, err := http1.New(func(w *http1.Response, _ *http1.Request) {
		s := w.Stream()
		go func() {
			err := parallel(senders, func(n int) error {
				for i := range lines {
					if err := s.Send([]byte(taggedLine(n, i))); err != nil {
						return err
					}
				}
				return nil
			})
			sent <- errors.Join(err, s.Close())
		}()
	}, http1.Options{})
	if err != nil {
		return err
	}
	ln, err := e.Listen("tcp", "127.0.0.1:0", server.Open)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(t.ctx)
	var running sync.WaitGroup
	running.Go(func() { _ = e.Run(ctx) }) // an error shows at the client
	defer running.Wait()
	defer cancel()

	c, err := dialBuffer(t.ctx, ln.Addr().String(), 16<<10)
	if err != nil {
		return err
	}
	defer c.reset()
	if err := c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); err != nil {
		return err
	}
	r, err := c.head()
	if err != nil {
		return err
	}
	var next [senders]int
	wrong := 0
	for body := bufio.NewReader(r.Body); ; {
		line, err := body.ReadString('\n')
		if err == io.EOF && line == "" {
			break
		}
		if err != nil {
			return err
		}
		sender, _, _ := strings.Cut(line, " ")
		n, err := strconv.Atoi(sender)
		if err != nil || n < 0 || n >= senders || line != taggedLine(n, next[n]) {
			wrong++
			continue
		}
		next[n]++
	}
	right := 0
	for _, n := range next {
		right += n
	}
	equal(t, "complete lines in order", right, senders*lines)
	equal(t, "lines broken, repeated or out of order", wrong, 0)
	return <-sent
}

func taggedLine(n, i int) string {
	return fmt.Sprintf("%d %d %s\n", n, i, strings.Repeat("x", (n+i)%300))
}

// echoKeepsOffsets sends numbers through the raw echo, and reads them back slowly.
func echoKeepsOffsets(t *trial) error {
	const words = 4 << 20 // of 8 bytes
	s, err := t.start("-echo", "127.0.0.1:0", "-write-timeout", "30s")
	if err != nil {
		return err
	}
	c, err := dialBuffer(t.ctx, s.echo, 16<<10)
	if err != nil {
		return err
	}
	defer c.reset()
	go func() {
		w := bufio.NewWriterSize(c, 64<<10)
		for i := range uint64(words) {
			if err := binary.Write(w, binary.BigEndian, i); err != nil {
				return // the reader detects the loss
			}
		}
		_ = w.Flush()
		_ = c.CloseWrite()
	}()
	word, wrong := make([]byte, 8), 0
	n := uint64(0)
	for ; ; n++ {
		if _, err := io.ReadFull(c.r, word); err == io.EOF {
			break
		} else if err != nil {
			return fmt.Errorf("after %d words: %w", n, err)
		}
		if binary.BigEndian.Uint64(word) != n {
			wrong++
		}
		if n%8192 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	equal(t, "words through the echo", n, words)
	equal(t, "words at a wrong offset", wrong, 0)
	return nil
}
