package nethttp_test

import (
	"net/http"
	"testing"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/loop"
	"github.com/eddynet/eddy/nethttp"
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

// TestAnswersFindRoomInAFullInbox is the same of net/http handlers.
func TestAnswersFindRoomInAFullInbox(t *testing.T) {
	loops := make(chan *eddy.Loop, 1)
	begin := make(chan struct{})
	adapter := nethttp.NewAdapter(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-begin
		w.Write([]byte("ans"))
		if r.URL.Path == "/flushed" {
			w.(http.Flusher).Flush()
		}
		w.Write([]byte("wer"))
	}), nil)
	s := serve(t)(http1.New(nothing, http1.Options{OnHead: func(w *http1.Response, r *http1.Request) {
		loops <- w.Loop()
		adapter.OnHead(w, r)
	}}))
	for _, path := range []string{"/whole", "/flushed"} {
		c := s.dial()
		c.send(get(path))
		release := flood(t, await(t, "the request", loops))
		begin <- struct{}{}
		release()
		expect(t, "answer", c.answer("GET").body, "answer")
	}
}
