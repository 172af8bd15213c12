//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package sockets

// HoldOff would keep clients off a listener that is about to be closed. There is no
// way to do it here.
func HoldOff(int) bool { return false }
