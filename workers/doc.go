// Package workers runs a server as several processes, for programs that need isolation:
// a worker that crashes, runs out of memory or hangs costs its own connections only, and
// is replaced. A new binary takes over without a pause.
//
// A Supervisor starts several copies of the program's own binary, with its listening
// sockets as inherited files. In these processes Current returns the Worker. All workers
// accept from the same sockets. While no worker runs, clients wait in the kernel's
// queue.
//
//	supervisor ── orders ──▶ worker     one byte: drain. End of file: the supervisor is gone
//	           ◀─ reports ──            one byte: alive. The first one: ready
//
// # Guarantees
//
//   - A worker that ends by itself is restarted: at once if it had served for a second,
//     otherwise after a delay that doubles. Too many crashes within a window end the
//     supervisor with an error.
//   - A worker that stops reporting is killed. The program defines the meaning of a
//     report: with Engine.Ping, every loop of the worker has completed a cycle.
//   - No worker survives its supervisor. On Linux and FreeBSD the kernel kills it at
//     once, in whatever state; elsewhere the end of its orders makes it drain.
//   - At the end all workers drain; those that do not end in time are killed.
//   - Replace starts new workers from the file at the binary's path. The old ones drain
//     only when all new ones are ready. If they fail, the old ones stay.
//
// The supervisor itself is not replaced: a new version of it requires a restart. Keep it
// small. Its protocol, the two pipes above, changes rarely if ever. A crashed worker is
// restarted from the binary's path too: put a new binary there just before Replace.
//
// The package installs no signal handler and never exits the process: the program
// decides which signal cancels Run's context, and which calls Replace. Each worker has
// its own process group, so that Ctrl-C reaches the supervisor only.
package workers
