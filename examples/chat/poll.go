package main

import (
	"bytes"
	"net/url"
	"strconv"
	"time"

	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/loop"
)

// patience is the timeout of a poll. Proxies usually time out after a minute.
const patience = 25 * time.Second

// poll is a request that waits for messages. It names the last message of its client, so
// that nothing is lost between two polls.
type poll struct {
	deferred *http1.Deferred
	timer    *loop.Timer
}

func (m *room) poll(w *http1.Response, r *http1.Request) {
	query, err := url.ParseQuery(string(r.Query()))
	after, err2 := strconv.ParseInt(query.Get("after"), 10, 64)
	if err != nil || err2 != nil {
		w.SetStatus(400)
		w.WriteString("after must be the number of a message, or 0\n")
		return
	}
	p, news := m.newsOrPoll(w, after)
	if p == nil {
		writeJSON(w, news)
		return
	}
	p.deferred.OnGone(func(error) { m.end(p) })
}

// newsOrPoll returns the messages after a number, or a poll that waits for one.
func (m *room) newsOrPoll(w *http1.Response, after int64) (*poll, []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if news := m.since(after); news != nil {
		return nil, news
	}
	if m.closed {
		return nil, noNews
	}
	p := &poll{deferred: w.Defer()}
	p.timer = w.Loop().After(patience, func() { m.end(p) })
	m.polls[p] = struct{}{}
	return p, nil
}

// end answers a poll without messages, after its timeout or when its client has stopped
// sending.
func (m *room) end(p *poll) {
	m.mu.Lock()
	delete(m.polls, p)
	m.mu.Unlock()
	p.answer(noNews)
}

// answer answers the poll, unless it is answered already. Any goroutine may call it.
func (p *poll) answer(news []byte) {
	_ = p.deferred.Respond(func(w *http1.Response) { // fails if it is answered already or the client has closed
		p.timer.Stop()
		writeJSON(w, news)
	})
}

func writeJSON(w *http1.Response, text []byte) {
	w.SetHeader("Content-Type", "application/json")
	w.SetHeader("Cache-Control", "no-store")
	w.Write(text)
}

// send receives a message from a polling client.
func (m *room) send(w *http1.Response, r *http1.Request) {
	kind, _, _ := bytes.Cut(r.Header("Content-Type"), []byte(";"))
	switch {
	case string(r.Method()) != "POST":
		w.SetStatus(405)
		w.SetHeader("Allow", "POST")
	case !bytes.EqualFold(bytes.TrimSpace(kind), []byte("application/json")):
		w.SetStatus(415) // excludes forms on pages of other sites
	default:
		if err := m.say(r.Body(), "poll"); err != nil {
			w.SetStatus(400)
			w.WriteString(err.Error() + "\n")
			return
		}
		w.SetStatus(204)
	}
}
