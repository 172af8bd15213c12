package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math"
	"strings"

	"github.com/eddynet/eddy/http1"
)

// onHead streams the body of /upload through a hash, and passes /std/* to net/http
// handlers. maxBody is the limit set by a flag; without one, a streamed body may have
// any size.
func onHead(maxBody int64) http1.Handler {
	std := newStd()
	return func(w *http1.Response, r *http1.Request) {
		if strings.HasPrefix(string(r.Path()), "/std/") {
			std.OnHead(w, r)
			r.SetMaxBody(cmp.Or(maxBody, stdMaxBody))
			return
		}
		if string(r.Path()) != "/upload" || string(r.Method()) != "POST" {
			return
		}
		if maxBody == 0 {
			r.SetMaxBody(math.MaxInt64)
		}
		hash, size := sha256.New(), 0
		r.OnBody(func(chunk []byte, err error) {
			switch err {
			case nil:
				size += len(chunk)
				_, _ = hash.Write(chunk) // never fails
			case io.EOF:
				answerJSON(w, struct {
					Len    int    `json:"len"`
					SHA256 string `json:"sha256"`
				}{size, hex.EncodeToString(hash.Sum(nil))})
			} // otherwise the client has gone, or was refused
		})
	}
}

// upload is called when the body is complete. For POST, onHead has written the response.
func upload(w *http1.Response, r *http1.Request) {
	if string(r.Method()) != "POST" {
		fail(w, 405, "use POST")
		header(w, "Allow", "POST")
	}
}
