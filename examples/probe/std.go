package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/eddynet/eddy/nethttp"
)

// stdMaxBody bounds the bodies of /std/dump and /std/echo without -max-body.
const stdMaxBody = 4 << 20

// newStd serves /std/* by net/http handlers.
func newStd() *nethttp.Adapter {
	mux := http.NewServeMux()
	mux.HandleFunc("/std/dump", stdDump)
	mux.HandleFunc("/std/echo", stdEcho)
	mux.HandleFunc("/std/flush", stdFlush)
	mux.HandleFunc("/std/panic", func(http.ResponseWriter, *http.Request) { panic("asked for by /std/panic") })
	var ended atomic.Int64
	mux.HandleFunc("GET /std/ticks", func(w http.ResponseWriter, r *http.Request) {
		defer ended.Add(1)
		stdTicks(w)
	})
	mux.HandleFunc("GET /std/ticks-ended", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = fmt.Fprint(w, ended.Load()) // fails if the client has closed
	})
	mux.HandleFunc("POST /std/early", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	return nethttp.NewAdapter(mux, nil)
}

// stdDump is dump with sorted fields.
func stdDump(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client has closed, or was refused
	}
	sum := sha256.Sum256(body)
	w.Header().Set("Content-Type", "application/json")
	err = json.NewEncoder(w).Encode(dumped{
		Method:     latin1([]byte(r.Method)),
		Target:     latin1([]byte(r.RequestURI)),
		Path:       latin1([]byte(r.URL.EscapedPath())),
		Query:      latin1([]byte(r.URL.RawQuery)),
		Version:    "1." + strconv.Itoa(r.ProtoMinor),
		Fields:     append([][2]string{{"Host", latin1([]byte(r.Host))}}, pairs(r.Header)...),
		BodyLen:    len(body),
		BodySHA256: hex.EncodeToString(sum[:]),
		Trailers:   pairs(r.Trailer),
		Remote:     r.RemoteAddr,
	})
	if err != nil {
		panic(http.ErrAbortHandler) // the client has closed
	}
}

func pairs(h http.Header) [][2]string {
	list := [][2]string{}
	for name, values := range h {
		for _, value := range values {
			list = append(list, [2]string{latin1([]byte(name)), latin1([]byte(value))})
		}
	}
	slices.SortStableFunc(list, func(a, b [2]string) int {
		return strings.Compare(a[0], b[0])
	})
	return list
}

func stdEcho(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client has closed, or was refused
	}
	w.Header()["Content-Type"] = r.Header["Content-Type"] // without one, none
	_, _ = w.Write(body)                                  // fails if the client has closed
}

func stdFlush(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	for i, piece := range []string{"START", "MIDDLE", "END"} {
		if i > 0 {
			time.Sleep(100 * time.Millisecond)
		}
		_, _ = io.WriteString(w, piece) // Flush returns the error
		if http.NewResponseController(w).Flush() != nil {
			return // the client has closed
		}
	}
}

// stdTicks writes until the client has closed. It notices only an error of Write: it ignores the
// context and the error of Flush, as many handlers do.
func stdTicks(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain")
	for {
		if _, err := io.WriteString(w, "tick\n"); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		time.Sleep(5 * time.Millisecond)
	}
}
