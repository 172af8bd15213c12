package http1

import "fmt"

// Request and response have a state each, because a response may begin, and even end, before the
// body. The exchange ends with the later of the two.

type inbound uint8

const (
	// idle: no byte of a request has come. To readingHead.
	idle inbound = iota
	// readingHead: the head is incomplete. To readingBody.
	readingHead
	// readingBody: the body, if there is one, is incomplete. To done.
	readingBody
	// done: the request is complete. To idle, with the end of the response.
	done
)

var inboundNames = [...]string{"idle", "readingHead", "readingBody", "done"}

type outbound uint8

const (
	// unhandled: the handler was not called. To handling.
	unhandled outbound = iota
	// handling: OnHead or the handler runs, or the server refuses the request. To responded,
	// deferred, streaming; after OnHead, back to unhandled.
	handling
	// deferred: the response comes later. To responded, streaming.
	deferred
	// streaming: the head is sent, the body follows in pieces. To responded.
	streaming
	// responded: the response is complete. To unhandled, with the end of the request.
	responded
)

var outboundNames = [...]string{"unhandled", "handling", "deferred", "streaming", "responded"}

// outboundExits has the set of next states of each state, as bits.
var outboundExits = [...]uint8{
	unhandled: 1 << handling,
	handling:  1<<unhandled | 1<<deferred | 1<<streaming | 1<<responded,
	deferred:  1<<streaming | 1<<responded,
	streaming: 1 << responded,
	responded: 1 << unhandled,
}

// receive is the only function that changes the state of the request.
func (x *session) receive(next inbound) {
	if next != (x.in+1)%(done+1) {
		panic(fmt.Sprintf("http1: a request cannot go from %s to %s", inboundNames[x.in], inboundNames[next]))
	}
	x.in = next
}

// respond is the only function that changes the state of the response.
func (x *session) respond(next outbound) {
	if outboundExits[x.out]>>next&1 == 0 {
		panic(fmt.Sprintf("http1: a response cannot go from %s to %s", outboundNames[x.out], outboundNames[next]))
	}
	x.out = next
}
