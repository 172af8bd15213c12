//go:build linux

// Package unix is a model of kqueue(2) on Linux, for tests. It replaces
// golang.org/x/sys/unix in the files for BSD and macOS. It has kqueue and the few calls
// that differ on those systems; the program in the parent folder adds everything else
// from the real package.
//
// The rules are those of kqueue(2) and of the socket filters in FreeBSD and macOS:
//
//   - A note is a descriptor and a filter. Its filter is evaluated when the note is added
//     or changed, or the socket's state changes. If it is true, the note is active. It is
//     evaluated again before the note is reported.
//   - A level-triggered note stays active until its filter is false. A note with EV_CLEAR
//     is reported once for each state change.
//   - EV_ADD on an existing note replaces NOTE_LOWAT and evaluates the filter again, but
//     does not change EV_CLEAR.
//   - EV_EOF is independent of NOTE_LOWAT, and has the socket's error in fflags.
//   - close(2) removes the notes of the descriptor, even if the socket stays open through
//     another one.
//   - Notes are reported in turn, so that none starves.
//   - A call with changes and no event list returns the error of the change.
//
// The sockets and their state changes are real: every note is registered with epoll(7),
// edge-triggered, in one set for each filter. Filters use the state returned by poll(2)
// and ioctl(2).
//
// The model simplifies the kernels. The error in fflags is always ECONNRESET: Linux
// cannot read the number without clearing it. EVFILT_WRITE has EV_EOF only once both
// directions are shut, and its data is 0. The data of a listener is 0 or 1, and listen(2)
// must precede its first note. A descriptor that is closed and immediately opened again
// for the same socket keeps its notes. Flags and kinds of files that package poller does
// not use panic.
//
// Every eighth blocking wait returns EINTR, to test the callers.
package unix
