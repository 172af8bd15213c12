//go:build !linux && !freebsd

package workers

import "syscall"

// dieWithParent has no effect here: a worker detects the end of its supervisor as the end of its orders.
func dieWithParent(*syscall.SysProcAttr) {}
