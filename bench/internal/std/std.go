// Package std is the net/http handler served by net/http, nbio and eddy's adapter.
package std

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/eddynet/eddy/bench/internal/common"
)

// Handler returns the routes. server is the value of the Server field, which net/http
// does not set; it is empty if the engine sets the field.
func Handler(server string) http.Handler {
	big := common.Big()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		if server != "" {
			h.Set("Server", server)
		}
		h.Set("Content-Type", "text/plain")
		switch r.URL.Path {
		case "/plaintext":
			h.Set("Content-Length", strconv.Itoa(len(common.Text)))
			io.WriteString(w, common.Text)
		case "/json":
			body, err := json.Marshal(common.Hello())
			if err != nil {
				panic(err) // a string can be encoded
			}
			h.Set("Content-Type", "application/json")
			h.Set("Content-Length", strconv.Itoa(len(body)))
			w.Write(body)
		case "/upload":
			body := make([]byte, r.ContentLength)
			if _, err := io.ReadFull(r.Body, body); err != nil {
				return // the client has closed
			}
			answer(w, strconv.Itoa(len(body)))
		case "/count":
			n, err := io.Copy(io.Discard, r.Body)
			if err != nil {
				return // the client has closed
			}
			answer(w, strconv.FormatInt(n, 10))
		case "/big":
			n := common.Number(r.URL.RawQuery)
			h.Set("Content-Length", strconv.Itoa(n))
			w.Write(big(n))
		case "/sleep", "/block":
			time.Sleep(time.Duration(common.Number(r.URL.RawQuery)) * time.Millisecond)
			answer(w, "slept")
		case "/spin":
			common.Spin(common.Number(r.URL.RawQuery))
			answer(w, common.Spun)
		default:
			h.Set("Content-Length", "0")
			w.WriteHeader(http.StatusNotFound)
		}
	})
}

func answer(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	io.WriteString(w, text)
}
