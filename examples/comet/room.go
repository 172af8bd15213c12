package main

import (
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/eddynet/eddy/http1"
)

// room holds the answers that are still to be given. Its clients live on several
// loops, which all add and remove theirs: hence the lock.
type room struct {
	mu      sync.Mutex
	waiting map[*http1.Deferred]struct{} // guarded by mu
	closed  bool                         // guarded by mu: nobody may wait any more
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

// wait leaves the answer for later. If none comes within Options.HandlerTimeout, the
// engine gives one: 503.
func (m *room) wait(w *http1.Response) {
	d := w.Defer()
	if !m.enter(d) {
		_ = d.Respond(unavailable) // an error says that the client has gone meanwhile
		return
	}
	d.OnGone(func(error) {
		m.leave(d)
		// It has stopped sending, and may or may not read on: an answer ends it either way.
		_ = d.Respond(unavailable)
	})
}

func (m *room) enter(d *http1.Deferred) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.waiting[d] = struct{}{}
	}
	return !m.closed
}

func (m *room) leave(d *http1.Deferred) {
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

// notify gives the body of the request to all who wait, and answers their number.
func (m *room) notify(w *http1.Response, r *http1.Request) {
	if string(r.Method()) != "POST" {
		w.SetStatus(405)
		w.SetHeader("Allow", "POST")
		return
	}
	text := string(r.Body()) // a copy: the request ends before the last of them has it
	n := m.release(false, func(w *http1.Response) { w.WriteString(text) })
	w.WriteString(strconv.Itoa(n) + "\n")
}

// close sends everybody away, and all who come later.
func (m *room) close() {
	m.release(true, unavailable)
}

// release answers all who wait, and says how many they were. Each answer is written
// on the loop of its connection.
func (m *room) release(closed bool, answer func(*http1.Response)) int {
	m.mu.Lock()
	all := m.waiting
	m.waiting = map[*http1.Deferred]struct{}{}
	m.closed = m.closed || closed
	m.mu.Unlock()
	for d := range all {
		_ = d.Respond(answer) // an error says that the client has gone meanwhile
	}
	giveBack(len(all))
	return len(all)
}

// giveBack returns the memory that many clients have needed to the kernel, once they
// are gone. Go does so too, but an idle program takes minutes over it.
func giveBack(clients int) {
	if clients >= 1000 {
		time.AfterFunc(time.Second, debug.FreeOSMemory)
	}
}
