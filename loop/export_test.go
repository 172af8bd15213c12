package loop

import "testing"

// SweepFaults is sweep for a protocol of another package, over TCP. It returns the
// whole answer, masked.
func SweepFaults(t *testing.T, protocol func() Protocol, send []string, mask func([]byte) []byte) []byte {
	t.Helper()
	x := &exchange{
		network:  "tcp4",
		protocol: func(*testing.T) opener { return openingWith(protocol()) },
		send:     send,
		mask:     mask,
	}
	t.Run("learn", func(t *testing.T) {
		tr := newTrial(t, x)
		client := tr.connect()
		tr.converse(client)
		tr.rest()
		x.want = mask(client.got)
	})
	sweep(t, x)
	return x.want
}
