//go:build unix

package poller_test

import (
	"fmt"
	"log"

	"github.com/eddynet/eddy/poller"
	"golang.org/x/sys/unix"
)

// The owner keeps a table of its registrations; the token holds the index.
func Example() {
	p, err := poller.Open()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		log.Fatal(err)
	}
	ours, peers := fds[0], fds[1]
	defer unix.Close(ours)
	if err := unix.SetNonblock(ours, true); err != nil {
		log.Fatal(err)
	}

	const slot, generation = 0, 1
	if err := p.Add(ours, poller.NewToken(slot, generation), poller.Readable); err != nil {
		log.Fatal(err)
	}
	unix.Write(peers, []byte("hello"))
	unix.Close(peers)

	for buf, open := make([]byte, 64), true; open; {
		events, err := p.Wait(poller.Forever)
		if err != nil {
			log.Fatal(err)
		}
		for _, event := range events {
			if event.Token.Generation() != generation {
				continue // the event belongs to an earlier use of the slot
			}
			n, err := unix.Read(ours, buf)
			if err != nil {
				log.Fatal(err)
			}
			fmt.Printf("slot %d read %q\n", event.Token.Slot(), buf[:n])
			open = n > 0
		}
	}
	// Output:
	// slot 0 read "hello"
	// slot 0 read ""
}
