package loop

import "fmt"

// State is where a connection stands in its life.
type State uint8

const (
	// Open: reads and writes. Close leads to Closing; Abort, a failure and a
	// deadline to Closed.
	Open State = iota
	// Closing: pending output is flushed, nothing is read or accepted for
	// writing. It leads to Lingering when all is flushed, or to Closed if the
	// peer's FIN was read before, on a failure or when the peer takes nothing.
	Closing
	// Lingering: our FIN is sent, and what the peer still sends is read away, since
	// closing a socket with unread input would destroy output on its way. It
	// leads to Closed, at the peer's FIN, the time limit or the byte limit.
	Lingering
	// Closed: nothing happens any more. OnClose is called at the end of the cycle.
	Closed
)

var stateNames = [...]string{"Open", "Closing", "Lingering", "Closed"}

// String is the name of the constant.
func (s State) String() string { return stateNames[s] }

// exits lists the states that each state may lead to, as a set of bits.
var exits = [...]uint8{
	Open:      1<<Closing | 1<<Closed,
	Closing:   1<<Lingering | 1<<Closed,
	Lingering: 1 << Closed,
	Closed:    0,
}

// enter is the one place where the state changes.
func (c *Conn) enter(next State) {
	if exits[c.state]&(1<<next) == 0 {
		panic(fmt.Sprintf("eddy: connection cannot go from %v to %v", c.state, next))
	}
	c.state = next
	c.shared.Or(refMute) // only Open takes output, and nothing leads back to it
}
