// Package workers runs a server as several processes, for programs that want them
// kept apart: a worker that crashes, runs out of memory or hangs costs its own
// connections only, and is replaced; a new binary takes over without a pause.
//
// A Supervisor starts the program's own binary again, several times, with its
// listening sockets as inherited files. In these processes Current returns the
// Worker. All accept from the same sockets, so what one does not take another does,
// and while none runs, clients wait in the kernel's queue.
//
//	supervisor ── orders ──▶ worker     one byte: drain. Its end: the supervisor is gone
//	           ◀─ reports ──            one byte: alive. The first one: ready
//
// # What is promised
//
//   - A worker that ends without being told to is started again: at once if it had
//     served for a second, otherwise after a delay that doubles. Too many such ends
//     within a while end the supervisor with an error.
//   - A worker that stops reporting is killed. What a report proves is up to the
//     program: with Engine.Ping, that every loop of the worker goes round.
//   - No worker survives its supervisor. On Linux and FreeBSD the kernel kills it at
//     once, whatever state it is in; elsewhere it is told by the end of its orders,
//     and drains.
//   - At the end all workers drain; those that do not end in time are killed.
//   - Replace starts new workers, from what the binary's path holds by then, and only
//     when all of them serve lets the old ones drain. If they do not, the old ones stay.
//
// The supervisor itself goes on as it is: a new version of it takes a restart. Keep it
// small, and its protocol, the two pipes above, changes rarely if ever. A worker that
// crashes is started again from what the path holds, too: put a new binary there just
// before Replace.
//
// The package installs no signal handler and ends no process of its own: the program
// decides which signal cancels Run's context, and which calls Replace. Workers are in
// process groups of their own, so that Ctrl-C reaches the supervisor only.
package workers
