package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// writeDeadline is the -write-timeout of trials with clients that do not read.
const writeDeadline = 6 * time.Second

// pipelinerWithoutEnd sends requests without end, and reads nothing.
func pipelinerWithoutEnd(t *trial) error {
	s, err := t.start("-write-timeout", writeDeadline.String())
	if err != nil || !t.hasProc("one endless pipeliner") {
		return err
	}
	c, err := dialSmall(t.ctx, s.address)
	if err != nil {
		return err
	}
	defer c.reset()
	if _, err := s.stats(); err != nil { // the first request allocates
		return err
	}
	whole := observe(s.pid())
	sent, stuck, over := int64(0), make(chan time.Time, 1), make(chan time.Time, 1)
	go func() {
		batch := []byte(strings.Repeat(get("/plaintext"), 1000))
		at := time.Now()
		for {
			n, err := c.Write(batch)
			sent += int64(n)
			if err != nil {
				stuck <- at
				over <- time.Now()
				return
			}
			at = time.Now()
		}
	}()
	if err := t.pause(writeDeadline / 3); err != nil {
		return err
	}
	idle := observe(s.pid())
	if err := t.pause(writeDeadline / 3); err != nil {
		return err
	}
	_, cpu := idle.stop()
	closed := (<-over).Sub(<-stuck)
	growth, _ := whole.stop()
	t.info("one endless pipeliner: sent", size(sent))
	atMost(t, "one endless pipeliner: growth", growth, 8*miB)
	atMost(t, "one endless pipeliner: processor when stuck", cpu, 2)
	within(t, "one endless pipeliner: closed after", closed, writeDeadline-500*time.Millisecond, writeDeadline+time.Second)
	return nil
}

// crowdThatNeverReads requests 1 MiB per client, and reads nothing.
func crowdThatNeverReads(t *trial) error {
	const clients = 1000
	s, err := t.start("-write-timeout", writeDeadline.String())
	if err != nil || !t.hasProc("1,000 that never read") {
		return err
	}
	if _, err := s.stats(); err != nil {
		return err
	}
	whole := observe(s.pid())
	crowd, err := dialMany(t.ctx, s.address, clients, dialSmall)
	if err != nil {
		return err
	}
	defer closeAll(crowd)
	from := time.Now()
	for _, c := range crowd {
		if err := c.send(get("/big?n=1048576")); err != nil {
			return err
		}
	}
	if err := t.quiet(s); err != nil {
		return err
	}
	asked := time.Since(from) // until the kernel accepts no more output
	idle := observe(s.pid())
	if err := t.pause(writeDeadline / 3); err != nil {
		return err
	}
	_, cpu := idle.stop()
	after, err := resets(crowd, from, 3*writeDeadline)
	growth, _ := whole.stop()
	if err != nil {
		return err
	}
	atMost(t, "1,000 that never read: growth", growth, 128*miB)
	atMost(t, "1,000 that never read: processor when stuck", cpu, 2)
	within(t, "1,000 that never read: first closed after", after[0], writeDeadline-100*time.Millisecond, writeDeadline+time.Second)
	within(t, "1,000 that never read: last closed after", after[clients-1], writeDeadline, (writeDeadline + asked + time.Second).Round(time.Millisecond))
	open, err := s.awaitOpen(0, time.Second)
	equal(t, "1,000 that never read: left open", open, 0)
	return err
}

// slowReaderGetsAll slowly reads a large response with Connection: close.
func slowReaderGetsAll(t *trial) error {
	const length = 16 << 20
	s, err := t.start()
	if err != nil {
		return err
	}
	for _, query := range []string{"", "&chunked=1"} {
		c, err := dialBuffer(t.ctx, s.address, 64<<10)
		if err != nil {
			return err
		}
		defer c.reset()
		from := time.Now()
		if err := c.send(fmt.Sprintf("GET /big?n=%d%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", length, query)); err != nil {
			return err
		}
		r, err := c.head()
		if err != nil {
			return err
		}
		got := int64(0)
		for err == nil {
			var n int64
			n, err = io.CopyN(io.Discard, r.Body, 16<<10)
			got += n
			time.Sleep(time.Millisecond)
		}
		if err != io.EOF {
			t.check("bytes"+query, fmt.Sprintf("%d, then %v", got, err), fmt.Sprint(length), false)
			continue
		}
		equal(t, "bytes"+query, got, length)
		t.info("it took"+query, time.Since(from).Round(time.Millisecond))
		if _, err := c.r.ReadByte(); err != io.EOF {
			t.check("end"+query, fmt.Sprint(err), "EOF", false)
		}
	}
	return nil
}
