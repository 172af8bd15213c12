//go:build freebsd || dragonfly

package sockets

import "golang.org/x/sys/unix"

func acceptNonblocking(fd int) (int, unix.Sockaddr, unix.Errno) {
	conn, sa, err := unix.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	if err != nil {
		return -1, nil, err.(unix.Errno)
	}
	return conn, sa, 0
}
