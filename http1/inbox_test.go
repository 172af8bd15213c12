package http1_test

import (
	"testing"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/loop"
)

// flood holds a loop and fills its inbox, until the returned function is called.
func flood(t *testing.T, l *eddy.Loop) (release func()) {
	t.Helper()
	hold, held := make(chan struct{}), make(chan struct{})
	if err := l.Post(func() { close(held); <-hold }); err != nil {
		t.Fatal(err)
	}
	await(t, "the loop to be held", held)
	for {
		switch err := l.Post(func() {}); err {
		case nil:
		case loop.ErrInboxFull:
			return func() { close(hold) }
		default:
			t.Fatal(err)
		}
	}
}

// TestAnswersFindRoomInAFullInbox: who posts without end takes no answer its place.
func TestAnswersFindRoomInAFullInbox(t *testing.T) {
	loops, answers := make(chan *eddy.Loop, 1), make(chan *http1.Deferred, 1)
	s := serve(t, func(w *http1.Response, r *http1.Request) {
		loops <- w.Loop()
		answers <- w.Defer()
	}, http1.Options{})
	for _, streamed := range []bool{false, true} {
		c := s.dial()
		c.send(get("/"))
		l, d := await(t, "the request", loops), await(t, "its answer", answers)
		if !streamed {
			release := flood(t, l)
			expect(t, "Respond", d.Respond(respond("answer")), nil)
			release()
		} else {
			streams := make(chan *http1.Stream, 1)
			expect(t, "Respond", d.Respond(func(w *http1.Response) { streams <- w.Stream() }), nil)
			stream := await(t, "the stream", streams)
			release := flood(t, l)
			expect(t, "Send", stream.Send([]byte("ans")), nil)
			expect(t, "TrySend", stream.TrySend([]byte("wer")), nil)
			expect(t, "Close", stream.Close(), nil)
			release()
		}
		expect(t, "answer", string(c.answer("GET").body), "answer")
	}
}
