package main

import (
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// resets waits until the server has reset all these connections, without reading from
// them. It returns the times since from, sorted.
func resets(clients []*client, from time.Time, patience time.Duration) (after []time.Duration, err error) {
	fds := make([]unix.PollFd, len(clients)) // Events is zero: errors are always reported
	for i, c := range clients {
		raw, err := c.SyscallConn()
		if err != nil {
			return nil, err
		}
		if err := raw.Control(func(fd uintptr) { fds[i].Fd = int32(fd) }); err != nil {
			return nil, err
		}
	}
	for len(after) < len(clients) {
		if time.Since(from) > patience {
			return after, fmt.Errorf("%d of %d connections were reset within %v", len(after), len(clients), patience)
		}
		if _, err := unix.Poll(fds, 100); err != nil && err != unix.EINTR {
			return after, err
		}
		for i := range fds {
			if fds[i].Fd >= 0 && fds[i].Revents&(unix.POLLERR|unix.POLLHUP) != 0 {
				after = append(after, time.Since(from))
				fds[i].Fd = -1 // poll(2) ignores it
			}
		}
	}
	slices.Sort(after)
	return after, nil
}
