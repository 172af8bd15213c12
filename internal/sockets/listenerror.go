package sockets

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// RemoveStale removes a socket file that nobody listens on any more.
func RemoveStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != os.ModeSocket:
		return errNotSocket
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	switch {
	case err == nil:
		conn.Close() // it was opened to see whether somebody listens
		return unix.EADDRINUSE
	case errors.Is(err, unix.ECONNREFUSED):
		return os.Remove(path)
	}
	return err
}

var errNotSocket = errors.New("a file of that name exists and is not a socket: it was left alone; choose another path or move it away")

// ListenError adds advice to an error of Listen or RemoveStale.
func ListenError(network, address string, err error) error {
	advice := ""
	switch {
	case errors.Is(err, unix.EADDRINUSE) && network == "unix":
		advice = ": another process listens on this socket: end it or choose another path"
	case errors.Is(err, unix.EADDRINUSE):
		advice = ": end the program that listens there, or choose another port (0 for any free one)"
	case errors.Is(err, unix.EACCES) && network == "unix":
		advice = ": the directory must be writable for this user"
	case errors.Is(err, unix.EACCES):
		advice = ": ports below 1024 need root or CAP_NET_BIND_SERVICE; choose a higher one"
	case errors.Is(err, unix.EADDRNOTAVAIL):
		advice = ": no interface of this machine has the address"
	case errors.Is(err, unix.EMFILE):
		advice = ": no file descriptor left: raise ulimit -n"
	}
	return fmt.Errorf("eddy: listen on %s %s: %w%s", network, address, err, advice)
}
