//go:build linux || freebsd

package workers

import "syscall"

// dieWithParent makes the kernel kill the process when the thread that started it ends:
// prctl(2), procctl(2).
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
