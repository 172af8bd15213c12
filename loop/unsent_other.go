//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package loop

// boundUnsent does nothing: the socket's send buffer is the bound.
func boundUnsent(int) error { return nil }
