package main

import (
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/eddynet/eddy/http1"
)

// room holds the deferred responses of the waiting clients. The mutex is needed because
// they are on several loops.
type room struct {
	mu      sync.Mutex
	waiting map[*http1.Deferred]struct{} // guarded by mu
	closed  bool                         // guarded by mu: refuses new clients
}

func newRoom() *room { return &room{waiting: map[*http1.Deferred]struct{}{}} }

func (m *room) serve(w *http1.Response, r *http1.Request) {
	w.SetHeader("Content-Type", "text/plain; charset=utf-8")
	switch string(r.Path()) {
	case "/wait":
		m.wait(w)
	case "/notify":
		m.notify(w, r)
	case "/count":
		w.WriteString(strconv.Itoa(m.count()) + "\n")
	default:
		w.SetStatus(404)
		w.WriteString("try /wait, /count and /notify\n")
	}
}

// wait defers the response. After Options.HandlerTimeout, http1 sends a 503.
func (m *room) wait(w *http1.Response) {
	d := w.Defer()
	if !m.add(d) {
		_ = d.Respond(unavailable) // fails if the client has closed
		return
	}
	d.OnGone(func(error) {
		m.remove(d)
		// The client has stopped sending, and may still read: a response ends either case.
		_ = d.Respond(unavailable)
	})
}

func (m *room) add(d *http1.Deferred) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.waiting[d] = struct{}{}
	}
	return !m.closed
}

func (m *room) remove(d *http1.Deferred) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.waiting, d)
}

func unavailable(w *http1.Response) { w.SetStatus(503) }

func (m *room) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.waiting)
}

// notify sends the request's body to all waiting clients, and responds with their number.
func (m *room) notify(w *http1.Response, r *http1.Request) {
	if string(r.Method()) != "POST" {
		w.SetStatus(405)
		w.SetHeader("Allow", "POST")
		return
	}
	text := string(r.Body()) // a copy: the request's memory is reused before the last response is sent
	n := m.release(false, func(w *http1.Response) { w.WriteString(text) })
	w.WriteString(strconv.Itoa(n) + "\n")
}

// close answers all waiting clients with 503, and all later ones.
func (m *room) close() {
	m.release(true, unavailable)
}

// release answers all waiting clients. It returns their number. Each response is written
// on the loop of its connection.
func (m *room) release(closed bool, answer func(*http1.Response)) int {
	m.mu.Lock()
	all := m.waiting
	m.waiting = map[*http1.Deferred]struct{}{}
	m.closed = m.closed || closed
	m.mu.Unlock()
	for d := range all {
		_ = d.Respond(answer) // fails if the client has closed
	}
	releaseMemory(len(all))
	return len(all)
}

// releaseMemory returns memory to the kernel after many clients. Go does so too, but
// takes minutes in an idle program.
func releaseMemory(clients int) {
	if clients >= 1000 {
		time.AfterFunc(time.Second, debug.FreeOSMemory)
	}
}
