package http1

import "fmt"

// state is where a session stands. No session is a state too: the connection is
// idle between requests.
type state uint8

const (
	// idle: between two requests of a pipeline. To head, at the first byte.
	idle state = iota
	// head: a head has begun. To body, handling when there is no body, or closing
	// on an error or a deadline.
	head
	// body: the body is coming. To handling, or closing.
	body
	// handling: the handler runs. To idle or closing with its answer; to deferred;
	// to streaming.
	handling
	// deferred: the handler has returned, the answer comes later. To idle or
	// closing with it; to streaming.
	deferred
	// streaming: the head of the answer is sent, its body comes piece by piece. To
	// idle or closing at its end.
	streaming
	// closing: the last answer is written. No way out.
	closing
)

var stateNames = [...]string{"idle", "head", "body", "handling", "deferred", "streaming", "closing"}

func (s state) String() string { return stateNames[s] }

// exits lists the states that each state may lead to, as a set of bits.
var exits = [...]uint8{
	idle:      1<<head | 1<<closing,
	head:      1<<body | 1<<handling | 1<<closing,
	body:      1<<handling | 1<<closing,
	handling:  1<<idle | 1<<deferred | 1<<streaming | 1<<closing,
	deferred:  1<<idle | 1<<streaming | 1<<closing,
	streaming: 1<<idle | 1<<closing,
	closing:   0,
}

// enter is the one place where the state changes.
func (x *session) enter(next state) {
	if exits[x.state]&(1<<next) == 0 {
		panic(fmt.Sprintf("http1: session cannot go from %v to %v", x.state, next))
	}
	x.state = next
}
