//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package loop

import "time"

// boundUnsent does nothing: the socket's send buffer is the bound.
func boundUnsent(int) error { return nil }

// boundUnacknowledged does nothing: TCP's own retransmissions end such a connection.
func boundUnacknowledged(int, time.Duration) {}

// unacknowledged reports false: these systems have no common way to ask.
func unacknowledged(int) bool { return false }
