//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package loop

// holdOff would keep clients off a listener that is about to be closed. There is no
// way to do it here.
func holdOff(int) bool { return false }
