package loop

import "golang.org/x/sys/unix"

// maxUnsent is how many bytes the kernel takes beyond what it has sent. Without the
// bound a peer that does not read is worth megabytes of the kernel's memory, which no
// limit of ours would see.
const maxUnsent = 256 << 10

func boundUnsent(fd int) error {
	return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, maxUnsent)
}
