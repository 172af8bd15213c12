package main

import (
	"strconv"
	"sync"

	"github.com/eddynet/eddy/http1"
)

// waiters are the streams of clients that wait for /notify, on all loops.
type waiters struct {
	mu   sync.Mutex
	list map[*http1.Stream]struct{} // guarded by mu
}

// wait sends its head at once, and its body on /notify.
func (ws *waiters) wait(w *http1.Response, _ *http1.Request) {
	header(w, "Content-Type", "text/plain")
	s := w.Stream()
	ws.mu.Lock()
	ws.list[s] = struct{}{}
	ws.mu.Unlock()
	s.OnGone(func(error) {
		gone.Add(1)
		ws.mu.Lock()
		delete(ws.list, s)
		ws.mu.Unlock()
	})
}

// notify sends the number of waiters to all of them and to its own client.
func (ws *waiters) notify(w *http1.Response, _ *http1.Request) {
	ws.mu.Lock()
	list := ws.list
	ws.list = map[*http1.Stream]struct{}{}
	ws.mu.Unlock()
	n := strconv.Itoa(len(list))
	for s := range list {
		if s.TrySend([]byte(n)) == nil { // fails if the client has closed
			_ = s.Close()
		}
	}
	text(w, n)
}

func (ws *waiters) count(w *http1.Response, _ *http1.Request) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	text(w, strconv.Itoa(len(ws.list)))
}
