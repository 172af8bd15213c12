package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

// routes answers the probe's paths.
type routes struct {
	engine *eddy.Engine
	byPath map[string]http1.Handler
}

// newRoutes returns the routes. maxBody is the limit set by a flag, or 0.
func newRoutes(e *eddy.Engine, maxBody int64) *routes {
	rt := &routes{engine: e}
	waiting := &waiters{list: map[*http1.Stream]struct{}{}}
	rt.byPath = map[string]http1.Handler{
		"/plaintext": plaintext,
		"/json":      jsonHello,
		"/echo":      echoBody,
		"/dump":      dump,
		"/big":       big,
		"/sleep":     sleep,
		"/spin":      spin,
		"/defer":     later,
		"/block":     block,
		"/stream":    stream,
		"/sse":       sse,
		"/gone":      countGone,
		"/wait":      waiting.wait,
		"/notify":    waiting.notify,
		"/count":     waiting.count,
		"/status":    status,
		"/reflect":   reflect,
		"/panic":     func(*http1.Response, *http1.Request) { panic("asked for by /panic") },
		"/stats":     rt.stats,
		"/upload":    upload,
		"/ws":        socket(maxBody),
	}
	return rt
}

func (rt *routes) serve(w *http1.Response, r *http1.Request) {
	h, ok := rt.byPath[string(r.Path())]
	if !ok {
		fail(w, 404, "no such route")
		return
	}
	h(w, r)
}

func plaintext(w *http1.Response, _ *http1.Request) {
	header(w, "Content-Type", "text/plain")
	text(w, "Hello, World!")
}

func jsonHello(w *http1.Response, _ *http1.Request) {
	answerJSON(w, struct {
		Message string `json:"message"`
	}{"Hello, World!"})
}

func echoBody(w *http1.Response, r *http1.Request) {
	if t := r.Header("Content-Type"); t != nil {
		header(w, "Content-Type", string(t))
	}
	_, _ = w.Write(r.Body()) // never fails
}

// dumped is the response of /dump and /std/dump.
type dumped struct {
	Method     string      `json:"method"`
	Target     string      `json:"target"`
	Path       string      `json:"path"`
	Query      string      `json:"query"`
	Version    string      `json:"version"`
	Fields     [][2]string `json:"fields"`
	BodyLen    int         `json:"body_len"`
	BodySHA256 string      `json:"body_sha256"`
	Trailers   [][2]string `json:"trailers"`
	Remote     string      `json:"remote"`
}

func dump(w *http1.Response, r *http1.Request) {
	sum := sha256.Sum256(r.Body())
	head, _ := r.Head()
	d := dumped{
		Method:     latin1(r.Method()),
		Target:     latin1(r.Target()),
		Path:       latin1(r.Path()),
		Query:      latin1(r.Query()),
		Version:    "1." + strconv.Itoa(head.Minor),
		Fields:     [][2]string{},
		BodyLen:    len(r.Body()),
		BodySHA256: hex.EncodeToString(sum[:]),
		Trailers:   [][2]string{},
		Remote:     r.RemoteAddr(),
	}
	for name, value := range r.Fields() {
		d.Fields = append(d.Fields, [2]string{latin1(name), latin1(value)})
	}
	for name, value := range r.Trailers() {
		d.Trailers = append(d.Trailers, [2]string{latin1(name), latin1(value)})
	}
	answerJSON(w, d)
}

func status(w *http1.Response, r *http1.Request) {
	code, err := strconv.Atoi(param(r, "code"))
	if err == nil {
		err = w.SetStatus(code)
	}
	if err != nil {
		fail(w, 400, err.Error())
	}
}

func reflect(w *http1.Response, r *http1.Request) {
	if err := w.SetHeader("X-Reflect", param(r, "h")); err != nil {
		fail(w, 400, err.Error())
	}
}

// spin blocks the loop, as a bad handler does.
func spin(w *http1.Response, r *http1.Request) {
	for until := time.Now().Add(millis(r, "ms")); time.Now().Before(until); {
	}
	text(w, "spun")
}

func (rt *routes) stats(w *http1.Response, _ *http1.Request) {
	answerJSON(w, rt.engine.Stats())
}

// header sets a field that is known to be valid.
func header(w *http1.Response, name, value string) {
	if err := w.SetHeader(name, value); err != nil {
		panic(err)
	}
}

func text(w *http1.Response, s string) { _, _ = w.WriteString(s) } // never fails

func answerJSON(w *http1.Response, v any) {
	header(w, "Content-Type", "application/json")
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(b) // never fails
}

func fail(w *http1.Response, code int, why string) {
	w.Reset()
	_ = w.SetStatus(code) // always valid
	header(w, "Content-Type", "text/plain")
	text(w, why+"\n")
}

// param returns the percent-decoded value of a query parameter, or "". A plus sign is
// not decoded.
func param(r *http1.Request, name string) string {
	for pair := range strings.SplitSeq(string(r.Query()), "&") {
		if key, value, _ := strings.Cut(pair, "="); key == name {
			if decoded, err := url.PathUnescape(value); err == nil {
				return decoded
			}
			return value
		}
	}
	return ""
}

// millis returns a query parameter in milliseconds, or 0.
func millis(r *http1.Request, name string) time.Duration {
	n, _ := strconv.Atoi(param(r, name))
	return time.Duration(n) * time.Millisecond
}

// latin1 shows bytes beyond ASCII as U+00XX.
func latin1(b []byte) string {
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}
