package http1

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"

	"github.com/eddynet/eddy/httpparse"
)

var (
	// ErrClientGone: the client has left before the answer was complete.
	ErrClientGone = errors.New("http1: client gone")
	// ErrAnswered: the request is answered already.
	ErrAnswered = errors.New("http1: request answered already")
	// ErrLength: a stream was given more or fewer bytes than SetLength announced.
	ErrLength = errors.New("http1: body differs from the length that SetLength announced")
	// ErrNotOffered: the client has not offered to switch to that protocol.
	ErrNotOffered = errors.New("http1: upgrade not offered by the client")
	// ErrStreamEnded: the stream is finished or aborted.
	ErrStreamEnded = errors.New("http1: stream ended")
)

var errNoHandler = errors.New("http1: New needs a handler: it was nil")

// FieldError says why a field cannot be set: SetHeader, AddHeader, SetTrailer, AddTrailer
// and Head.Add return it, and leave the answer as it was.
type FieldError struct {
	Name, Value string // as they were given
	Reason      string // the rule, with its RFC section
}

// Error has all three, on one line.
func (e *FieldError) Error() string {
	return fmt.Sprintf("http1: field %q with value %q cannot be set: %s", e.Name, e.Value, e.Reason)
}

func statusError(code int) error {
	return fmt.Errorf("http1: status %d cannot be sent here: a final answer has %d to %d", code, minStatus, maxStatus)
}

// refusal is an error of the session's own that the client is answered with.
type refusal struct {
	status int
	reason string
}

func (e *refusal) Error() string {
	return "http1: " + strconv.Itoa(e.status) + ": " + e.reason
}

// Is makes the error of a body that is too slow one of a deadline.
func (e *refusal) Is(target error) bool { return e == errTooSlow && target == os.ErrDeadlineExceeded }

var (
	errBodyTooLarge = &refusal{http.StatusRequestEntityTooLarge, "the body is larger than Options.MaxBodyBytes"}
	errExpectation  = &refusal{http.StatusExpectationFailed, "an expectation other than 100-continue"}
	errConnect      = &refusal{http.StatusNotImplemented, "CONNECT is not served here"}
	errTooSlow      = &refusal{http.StatusRequestTimeout, "the request did not come in time"}
	errPanic        = &refusal{http.StatusInternalServerError, "the handler panicked"}
	errUnanswered   = &refusal{http.StatusServiceUnavailable, "no answer in time"}
)

// refuse answers with the status of the error, and closes.
func (x *session) refuse(err error) {
	status := http.StatusInternalServerError
	var bad *httpparse.Error
	var own *refusal
	switch {
	case errors.As(err, &bad):
		status = bad.Status
	case errors.As(err, &own):
		status = own.status
	}
	if x.out == unanswered {
		x.answer(handling)
	}
	if x.out == deferred && x.deferred.claim() {
		x.deferred.abandon(context.Canceled)
	}
	x.body.fail(err)
	x.response.Refuse(status)
}
