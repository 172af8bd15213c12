package http1

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/eddynet/eddy/httpparse"
)

var (
	// ErrClientGone: the client closed the connection before the response was complete.
	ErrClientGone = errors.New("http1: client gone")
	// ErrAnswered: the request already has a response.
	ErrAnswered = errors.New("http1: request already has a response")
	// ErrLength: the body of a stream is longer or shorter than SetLength announced.
	ErrLength = errors.New("http1: body differs from the length announced by SetLength")
	// ErrStreamEnded: the stream is finished or aborted.
	ErrStreamEnded = errors.New("http1: stream ended")
)

var (
	errNoHandler    = errors.New("http1: New needs a handler: it was nil")
	errNotOffered   = errors.New("http1: the client did not offer to upgrade to this protocol")
	errEarlyUpgrade = errors.New("http1: Upgrade was called before the end of the request")
)

// FieldError says why a field cannot be set. Methods that return it leave the response unchanged.
type FieldError struct {
	Name, Value string
	Reason      string // the rule, with its RFC section
}

// Error is one line with all fields.
func (e *FieldError) Error() string {
	return fmt.Sprintf("http1: field %q with value %q cannot be set: %s", e.Name, e.Value, e.Reason)
}

func statusError(code int) error {
	return fmt.Errorf("http1: status %d cannot be sent here: a final response has %d to %d", code, minStatus, maxStatus)
}

// refusal is an error that the server reports to the client.
type refusal struct {
	status int
	reason string
}

func (e *refusal) Error() string { return fmt.Sprintf("http1: %d: %s", e.status, e.reason) }

// Is reports whether a slow body is compared with os.ErrDeadlineExceeded.
func (e *refusal) Is(target error) bool { return e == errTooSlow && target == os.ErrDeadlineExceeded }

var (
	errBodyTooLarge = &refusal{http.StatusRequestEntityTooLarge, "the body is larger than Options.MaxBodyBytes"}
	errExpectation  = &refusal{http.StatusExpectationFailed, "an expectation other than 100-continue"}
	errConnect      = &refusal{http.StatusNotImplemented, "CONNECT is not supported here"}
	errTooSlow      = &refusal{http.StatusRequestTimeout, "the request was not received in time"}
	errPanic        = &refusal{http.StatusInternalServerError, "the handler panicked"}
	errNoResponse   = &refusal{http.StatusServiceUnavailable, "no response in time"}
)

func (x *session) refuse(err error) {
	var status int
	switch e := err.(type) {
	case *httpparse.Error:
		status = e.Status
	case *refusal:
		status = e.status
	}
	if x.out == unhandled {
		x.respond(handling)
	}
	if x.out == deferred && x.deferred.claim() {
		x.deferred.cancel(context.Canceled)
	}
	x.body.abort(err)
	x.response.Refuse(status)
}
