package websocket

import (
	"cmp"
	"crypto/sha1"
	"encoding/base64"
	"time"

	"github.com/eddynet/eddy/http1"
)

// Upgrade upgrades the connection to a WebSocket served by h (RFC 6455 section 4.2). It
// answers an invalid handshake with an error. Call it in the handler.
func Upgrade(w *http1.Response, r *http1.Request, h Handler, o Options) {
	o.Quiet = cmp.Or(o.Quiet, 30*time.Second)
	o.Pong = cmp.Or(o.Pong, 10*time.Second)
	key := r.Header("Sec-WebSocket-Key")
	switch {
	case string(r.Method()) != "GET":
		w.SetHeader("Allow", "GET")
		refuse(w, 405, "use GET")
	case string(r.Header("Sec-WebSocket-Version")) != "13":
		w.SetHeader("Sec-WebSocket-Version", "13")
		w.SetHeader("Upgrade", "websocket")
		refuse(w, 426, "this is a WebSocket: ask with Sec-WebSocket-Version: 13")
	case !validKey(key):
		refuse(w, 400, "Sec-WebSocket-Key must be 16 bytes in base64")
	default:
		w.SetHeader("Sec-WebSocket-Accept", acceptance(key))
		if w.Upgrade("websocket", (&socket{handler: h, options: o}).open) != nil {
			w.Reset()
			w.SetHeader("Upgrade", "websocket")
			refuse(w, 426, "this is a WebSocket: ask with Connection: Upgrade and Upgrade: websocket")
		}
	}
}

func refuse(w *http1.Response, status int, why string) {
	w.SetStatus(status)
	w.SetHeader("Content-Type", "text/plain")
	w.WriteString(why + "\n")
}

func validKey(key []byte) bool {
	nonce, err := base64.StdEncoding.DecodeString(string(key))
	return err == nil && len(nonce) == 16
}

// acceptance is the value of Sec-WebSocket-Accept.
func acceptance(key []byte) string {
	sum := sha1.Sum([]byte(string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
