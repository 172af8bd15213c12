package main

import (
	"fmt"
	"strings"
	"time"
)

// hugeNumbers repeatedly announces lengths beyond the integer range.
func hugeNumbers(t *trial) error {
	s, err := t.start()
	if err != nil {
		return err
	}
	if _, err := s.stats(); err != nil {
		return err
	}
	u := observe(s.pid())
	const rounds = 100
	length := func(n string) string {
		return "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + n + "\r\n\r\nxxxx"
	}
	chunk := func(n string) string {
		return "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + n + "\r\nxxxx"
	}
	for _, kind := range []struct{ name, request string }{
		{"Content-Length 2^63-1", length("9223372036854775807")},
		{"Content-Length 2^63", length("9223372036854775808")},
		{"Content-Length 2^64-1", length("18446744073709551615")},
		{"Content-Length 2^64+5", length("18446744073709551621")},
		{"Content-Length -1", length("-1")},
		{"chunk of 2^63-1", chunk("7fffffffffffffff")},
		{"chunk of 2^63", chunk("8000000000000000")},
		{"chunk of 2^64-1", chunk("ffffffffffffffff")},
		{"chunk of 2^64+4", chunk("10000000000000004")},
	} {
		refused := 0
		for range rounds {
			status, err := expectStatus(t.ctx, s.address, kind.request)
			if err != nil {
				return fmt.Errorf("%s: %w", kind.name, err)
			}
			if status >= 400 && status < 500 {
				refused++
			}
		}
		t.check(kind.name, fmt.Sprintf("%d of %d answered 4xx", refused, rounds), "all", refused == rounds)
	}
	if growth, _ := u.stop(); t.hasProc("memory") {
		atMost(t, "memory growth", growth, 8*miB)
	}
	return nil
}

// expensiveChunks sends a body in chunks of one byte with long extensions, until it is
// refused.
func expensiveChunks(t *trial) error {
	s, err := t.start()
	if err != nil {
		return err
	}
	for _, kind := range []struct {
		name  string
		chunk string
		bound size
	}{
		{"extensions of 200 bytes: sent before the refusal", "1;" + strings.Repeat("e", 200) + "\r\nx\r\n", 64 * kiB},
		{"an endless extension: sent before the refusal", "1;" + strings.Repeat("e", 2000), 8 * kiB},
	} {
		c, err := dial(t.ctx, s.address)
		if err != nil {
			return err
		}
		defer c.reset()
		if err := c.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"); err != nil {
			return err
		}
		sent, err := c.sendUntilAnswered(kind.chunk, 4*miB)
		if err != nil {
			return err
		}
		atMost(t, kind.name, sent, kind.bound)
		a, err := c.answer()
		t.check(kind.name, fmt.Sprintf("status %d", a.status), "400", err == nil && a.status == 400)
	}
	return nil
}

// sendUntilAnswered repeats a piece until a response arrives or the limit is reached.
func (c *client) sendUntilAnswered(piece string, limit size) (sent size, err error) {
	answered := make(chan struct{})
	go func() {
		_, _ = c.r.Peek(1) // an error shows when the response is read
		close(answered)
	}()
	for sent < limit {
		if err := c.send(piece); err != nil {
			break // the server has responded and closed
		}
		sent += size(len(piece))
		select {
		case <-answered:
			return sent, nil
		case <-time.After(time.Millisecond):
		}
	}
	<-answered
	return sent, nil
}

// manyFields sends heads with too many fields, and measures the cost of allowed ones.
func manyFields(t *trial) error {
	s, err := t.start("-loops", "1")
	if err != nil {
		return err
	}
	distinct := func(i int) string { return fmt.Sprintf("X-Field-%05d: 1\r\n", i) }
	same := func(int) string { return "X-Field-00000: 1\r\n" }
	head := func(n int, field func(int) string) string {
		return "GET /plaintext HTTP/1.1\r\nHost: a\r\n" + repeat(n, field) + "\r\n"
	}
	for _, kind := range []struct {
		name  string
		field func(int) string
	}{{"5,000 fields", distinct}, {"5,000 fields of one name", same}} {
		status, err := expectStatus(t.ctx, s.address, head(5000, kind.field))
		if err != nil {
			return err
		}
		equal(t, kind.name+": status", status, 431)
	}
	if !t.hasProc("cost of a field") {
		return nil
	}
	for _, kind := range []struct {
		name  string
		field func(int) string
	}{{"distinct names", distinct}, {"one name", same}} {
		few, err := t.costOfField(s, func(n int) string { return head(n, kind.field) }, 4, 62)
		if err != nil {
			return err
		}
		many, err := t.costOfField(s, func(n int) string { return head(n, kind.field) }, 62, 120)
		if err != nil {
			return err
		}
		t.info(kind.name+": cost of a field", fmt.Sprintf("%v among few, %v among many", few, many))
		t.check(kind.name+": cost among many relative to few", fmt.Sprintf("%.2f", float64(many)/float64(few)), "at most 3", many <= 3*few)
	}
	return nil
}

// costOfField is the processor time per field, from heads of n and of m fields. They are
// measured in short alternating turns, since the machine has other work.
func (t *trial) costOfField(s *server, head func(int) string, n, m int) (time.Duration, error) {
	const batch, rounds, turns = 100, 20, 12
	cost := map[int]time.Duration{}
	for range turns {
		for _, fields := range []int{n, m} {
			c, err := dial(t.ctx, s.address)
			if err != nil {
				return 0, err
			}
			pipeline := strings.Repeat(head(fields), batch)
			before := processor(s.pid())
			for range rounds * 2 {
				if err := c.send(pipeline); err != nil {
					return 0, err
				}
				for range batch {
					if a, err := c.answer(); err != nil || a.status != 200 {
						return 0, fmt.Errorf("%d fields: status %d, %w", fields, a.status, err)
					}
				}
			}
			cost[fields] += processor(s.pid()) - before
			c.reset()
		}
	}
	each := (cost[m] - cost[n]) / time.Duration((m-n)*batch*rounds*2*turns)
	return max(each, time.Nanosecond), nil
}

// smuggled tries to inject response fields and log lines.
func smuggled(t *trial) error {
	s, err := t.start("-access-log")
	if err != nil {
		return err
	}
	refused := []string{"a%0d%0aX-Evil:%201", "a%0aX-Evil:%201", "a%0dX-Evil:%201", "a%00b", "%0d%0a%0d%0aHTTP/1.1%20200%20OK", "a%01", "a%7f"}
	wrong := 0
	for _, value := range refused {
		c, err := dial(t.ctx, s.address)
		if err != nil {
			return err
		}
		a, err := c.do(get("/reflect?h=" + value))
		if err != nil {
			return err
		}
		extra, _ := c.r.Peek(c.r.Buffered())
		if a.status != 400 || a.header.Get("X-Evil") != "" || a.header.Get("X-Reflect") != "" || len(extra) > 0 {
			wrong++
		}
		c.reset()
	}
	equal(t, "invalid field values that were not refused", wrong, 0)

	targets := 0
	for b := range 256 {
		request := "GET /plaintext?" + string([]byte{byte(b)}) + "forged HTTP/1.1\r\nHost: a\r\n\r\n"
		status, err := expectStatus(t.ctx, s.address, request)
		if err != nil {
			return err
		}
		if control := b < 0x20 || b == 0x7f; control && status != 400 {
			return fmt.Errorf("target with byte %#x: status %d", b, status)
		}
		targets++
	}
	for _, target := range []string{"%0alevel=INFO%20msg=forged", `"%20status=200`, "%1b[2J", "a=b\"c\\"} {
		if _, err := expectStatus(t.ctx, s.address, get("/plaintext?"+target)); err != nil {
			return err
		}
		targets++
	}
	if err := s.terminate(10 * time.Second); err != nil {
		return err
	}
	records, bad := 0, 0
	for _, line := range s.logged() {
		if strings.HasPrefix(line, "listening ") {
			continue
		}
		records++
		forged := !strings.HasPrefix(line, "time=") || strings.Count(line, "level=INFO ") > 1
		if forged || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			bad++
		}
	}
	atLeast(t, "log records", records, len(refused))
	t.info("targets tried", targets)
	equal(t, "log records that are forged or contain control bytes", bad, 0)
	return nil
}
