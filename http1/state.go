package http1

import "fmt"

// An exchange has two halves, the request and the answer, which may overlap: an
// answer may begin, and even end, while the body is still coming. The exchange is
// over when both halves are.

// inbound is how far the request has come.
type inbound uint8

const (
	// between two requests. To inHead, at the first byte.
	between inbound = iota
	// inHead: a head has begun. To inBody.
	inHead
	// inBody: the body is coming, if there is one. To complete.
	inBody
	// complete: all of it has come. To between, when the answer is given too.
	complete
)

var inboundNames = [...]string{"between", "inHead", "inBody", "complete"}

// inboundExits lists the states that each may lead to, as a set of bits.
var inboundExits = [...]uint8{
	between:  1 << inHead,
	inHead:   1 << inBody,
	inBody:   1 << complete,
	complete: 1 << between,
}

// outbound is how far the answer is.
type outbound uint8

const (
	// unanswered: nothing has happened. To handling.
	unanswered outbound = iota
	// handling: OnHead or the handler runs, or an error is being answered. To
	// answered, deferred, streaming; after OnHead, back to unanswered.
	handling
	// deferred: the answer comes later. To answered, streaming.
	deferred
	// streaming: the head of the answer is sent, its body comes piece by piece. To
	// answered.
	streaming
	// answered: all is written. To unanswered, when the request is complete too.
	answered
)

var outboundNames = [...]string{"unanswered", "handling", "deferred", "streaming", "answered"}

// outboundExits lists the states that each may lead to, as a set of bits.
var outboundExits = [...]uint8{
	unanswered: 1 << handling,
	handling:   1<<unanswered | 1<<deferred | 1<<streaming | 1<<answered,
	deferred:   1<<streaming | 1<<answered,
	streaming:  1 << answered,
	answered:   1 << unanswered,
}

// receive is the one place where the request's state changes.
func (x *session) receive(next inbound) {
	if inboundExits[x.in]>>next&1 == 0 {
		cannot("a request", inboundNames[x.in], inboundNames[next])
	}
	x.in = next
}

// answer is the one place where the answer's state changes.
func (x *session) answer(next outbound) {
	if outboundExits[x.out]>>next&1 == 0 {
		cannot("an answer", outboundNames[x.out], outboundNames[next])
	}
	x.out = next
}

func cannot(who, from, to string) {
	panic(fmt.Sprintf("http1: %s cannot go from %s to %s", who, from, to))
}
