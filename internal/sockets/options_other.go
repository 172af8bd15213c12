//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package sockets

import "time"

// boundUnsent does nothing: the socket's send buffer is the bound.
func boundUnsent(int) error { return nil }

// BoundUnacknowledged does nothing: TCP's own retransmissions end such a connection.
func BoundUnacknowledged(int, time.Duration) {}

// Unacknowledged reports false: these systems have no common way to ask.
func Unacknowledged(int) bool { return false }
