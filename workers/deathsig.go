//go:build linux || freebsd

package workers

import "syscall"

// dieWithParent has the kernel kill the process when the thread that has started it
// ends: prctl(2), procctl(2).
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
