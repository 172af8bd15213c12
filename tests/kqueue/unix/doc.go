//go:build linux

// Package unix is a model of kqueue(2) on Linux, for tests. It stands in for
// golang.org/x/sys/unix in the files that a BSD or macOS compiles: it has kqueue and
// the few calls in which those systems differ, and the program in the folder above
// adds everything else from the real package.
//
// The rules are those of the kernels, as kqueue(2) of FreeBSD and macOS and the
// filters of their sockets have them:
//
//   - A note is a descriptor and a filter. It is active from the moment at which its
//     filter is true, when it is added, changed or something happens to the socket,
//     and it is checked once more before it is reported.
//   - A level-triggered note stays active until a check finds its filter false. One
//     with EV_CLEAR is reported once for each thing that happens.
//   - EV_ADD on an existing note replaces NOTE_LOWAT and evaluates the filter again,
//     but leaves EV_CLEAR as it was.
//   - EV_EOF is independent of NOTE_LOWAT, and comes with the socket's error in fflags.
//   - close(2) removes the notes of that descriptor, whoever else has the socket open.
//   - Notes are reported in turn, so that none starves.
//   - A call that changes and has no room for events returns the error of the change.
//
// The sockets are real ones, and so are the moments at which something happens to
// them: every note is registered with epoll(7), edge-triggered, one set for each
// filter. Their state is what poll(2) and ioctl(2) say of them at the time of a check.
//
// These parts are simpler than in a kernel. The error in fflags is always ECONNRESET:
// Linux cannot tell the number without clearing it. EVFILT_WRITE has EV_EOF only once
// both directions are shut, and its data is 0. The data of a listener is 0 or 1, and
// listen(2) must come before its first note. A descriptor that is closed and opened again
// for the same socket, with nothing in between, keeps its notes. Flags and kinds of files
// that package poller does not use are not modelled, and panic.
//
// Every eighth sleep ends with EINTR instead, so that callers have to be used to it.
package unix
