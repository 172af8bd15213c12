//go:build linux

package main

import (
	"io"
	"time"

	"golang.org/x/sys/unix"
)

// sipping is the interval between reads of slow connections.
const sipping = 100 * time.Millisecond

// sip reads a little from every slow connection.
func (c *client) sip() {
	most := min(int(int64(c.slowRate)*int64(sipping)/int64(time.Second)), len(c.input))
	for _, k := range c.sippers {
		if !k.open || k.fd < 0 {
			continue
		}
		n, err := unix.Read(k.fd, c.input[:max(1, most)])
		if n == 0 && err == nil {
			err = io.ErrUnexpectedEOF
		}
		if err != nil && err != unix.EAGAIN && err != unix.EINTR {
			c.lose(k, &c.errors.Read, err)
		}
	}
}
