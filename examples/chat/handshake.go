package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"net/url"
	"strconv"

	"github.com/eddynet/eddy/http1"
)

// upgrade turns an HTTP connection into a WebSocket (RFC 6455 section 4.2).
func (m *room) upgrade(w *http1.Response, r *http1.Request) {
	key := r.Header("Sec-WebSocket-Key")
	switch {
	case !sameOrigin(r):
		w.SetStatus(403)
		return
	case !validKey(key):
		w.SetStatus(400)
		return
	case string(r.Header("Sec-WebSocket-Version")) != "13":
		w.SetStatus(426)
		w.SetHeader("Sec-WebSocket-Version", "13")
		return
	}
	query, _ := url.ParseQuery(string(r.Query()))
	after, _ := strconv.ParseInt(query.Get("after"), 10, 64) // 0 is everything
	w.SetHeader("Sec-WebSocket-Accept", acceptance(key))
	if err := w.Upgrade("websocket", &socket{room: m, after: after}); err != nil {
		w.Reset()
		w.SetStatus(400)
		w.WriteString(err.Error() + "\n")
	}
}

// sameOrigin keeps pages of other sites from using the browsers of their readers to
// take part. What is not a browser sends no Origin.
func sameOrigin(r *http1.Request) bool {
	origin := r.Header("Origin")
	if origin == nil {
		return true
	}
	u, err := url.Parse(string(origin))
	return err == nil && bytes.EqualFold([]byte(u.Host), r.Host())
}

func validKey(key []byte) bool {
	nonce, err := base64.StdEncoding.DecodeString(string(key))
	return err == nil && len(nonce) == 16
}

// acceptance proves that the server has understood.
func acceptance(key []byte) string {
	sum := sha1.Sum([]byte(string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
