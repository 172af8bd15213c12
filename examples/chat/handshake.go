package main

import (
	"bytes"
	"net/url"
	"strconv"

	"github.com/eddynet/eddy/examples/internal/websocket"
	"github.com/eddynet/eddy/http1"
)

// upgrade upgrades the connection to WebSocket.
func (m *room) upgrade(w *http1.Response, r *http1.Request) {
	if !sameOrigin(r) {
		w.SetStatus(403)
		return
	}
	query, _ := url.ParseQuery(string(r.Query()))
	after, _ := strconv.ParseInt(query.Get("after"), 10, 64) // 0 means all messages
	websocket.Upgrade(w, r, &socket{room: m, after: after}, websocket.Options{MaxMessage: maxMessage})
}

// sameOrigin refuses requests from pages of other sites. Clients other than browsers
// send no Origin.
func sameOrigin(r *http1.Request) bool {
	origin := r.Header("Origin")
	if origin == nil {
		return true
	}
	u, err := url.Parse(string(origin))
	return err == nil && bytes.EqualFold([]byte(u.Host), r.Host())
}
