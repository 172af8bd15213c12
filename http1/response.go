package http1

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/httpparse"
	"github.com/eddynet/eddy/loop"
)

// copyLimit is up to how many bytes a body is copied to its head: one segment costs less than two.
const copyLimit = 16 << 10

// Response is the response to a request. Its body is buffered, and sent with its length when the
// handler returns. It belongs to its loop, and is valid until then and until it is complete.
type Response struct {
	session        *session
	request        *Request
	head           Head
	body           *buffers.Buffer // written so far; nil if nothing was
	owned          piece           // of SetBody, in place of body; no bytes if there is none
	length         int64           // announced by SetLength; -1 if not
	sent           int64           // bytes of body handed to the connection
	upgradeOffered bool            // an Upgrade field is set
}

// Reset removes the status, the fields and the body.
func (w *Response) Reset() {
	w.head.Reset()
	w.head.Status = http.StatusOK
	w.length, w.sent, w.upgradeOffered = -1, 0, false
	w.takeOwned().free()
	if w.body != nil && cap(w.body.B) <= copyLimit {
		w.body.Reset() // kept for the next response
	} else {
		w.dropBody()
	}
}

func (w *Response) dropBody() {
	if w.body != nil {
		buffers.Put(w.body)
		w.body = nil
	}
}

// Request is the request of the response.
func (w *Response) Request() *Request { return w.request }

// Loop is the event loop of the connection.
func (w *Response) Loop() *loop.Loop { return w.session.conn.Loop() }

// SetStatus sets the status, 200 to 599; any other is an error, and changes nothing. Default: 200.
func (w *Response) SetStatus(code int) error {
	if code < minStatus || code > maxStatus {
		return statusError(code)
	}
	w.head.Status = code
	return nil
}

// Status is the status code set so far.
func (w *Response) Status() int { return w.head.Status }

// SetHead replaces status and fields by a copy of h. Close remains set. A bad status is an error.
func (w *Response) SetHead(h *Head) error {
	if h.Status != 0 && (h.Status < 100 || h.Status > 999) {
		return statusError(h.Status)
	}
	closes, lines := w.head.Close, w.head.fields
	w.head = *h
	w.head.fields = append(lines[:0], h.fields...)
	w.head.Close = h.Close || closes
	w.head.Status = cmp.Or(h.Status, http.StatusOK)
	w.upgradeOffered = false
	return nil
}

// SetHeader sets a field, and removes others of that name. The error is a *FieldError: the name is
// not a token, the value contains a control byte such as CR or LF, or the server sets the field:
// Content-Length, Transfer-Encoding, Date, Server, and Connection with any value but close. Upgrade
// also sends Connection: Upgrade (RFC 9110 section 7.8).
func (w *Response) SetHeader(name, value string) error {
	return w.setField(name, value, true)
}

// AddHeader is SetHeader, but keeps other fields of that name.
func (w *Response) AddHeader(name, value string) error {
	return w.setField(name, value, false)
}

func (w *Response) setField(name, value string, replace bool) error {
	owner, err := checkField(name, value, false)
	if err != nil {
		return err
	}
	switch owner {
	case ownerConnection:
		w.head.Close = true
		return nil
	case ownerUpgrade:
		w.upgradeOffered = true
	}
	if replace {
		w.head.fields.remove(name)
	}
	w.head.fields.add(name, value)
	return nil
}

// Write appends p to the body. The error is nil.
func (w *Response) Write(p []byte) (int, error) {
	b := w.buffer()
	b.B = append(b.B, p...)
	return len(p), nil
}

// WriteString appends s to the body. The error is nil.
func (w *Response) WriteString(s string) (int, error) {
	b := w.buffer()
	b.B = append(b.B, s...)
	return len(s), nil
}

func (w *Response) buffer() *buffers.Buffer {
	if w.body == nil {
		w.body = buffers.Get()
	}
	if w.owned.bytes != nil {
		p := w.takeOwned()
		w.body.B = append(w.body.B, p.bytes...)
		p.free()
	}
	return w.body
}

// decide decides whether the connection persists: not if the rest of the request body is not read.
func (w *Response) decide(bodyRead bool) {
	x := w.session
	x.persist = x.request.head.KeepAlive && !w.head.Close && !w.tunnel() && bodyRead &&
		!x.conn.Loop().Draining() && !x.server.noKeepAlive.Load()
}

// Finish sends the complete response before the handler returns, which cannot change it any more.
// In OnHead it discards up to Options.MaxDiscardBytes of the body, or closes the connection.
func (w *Response) Finish() {
	x := w.session
	switch {
	case x.out == responded || !x.conn.Open():
		return
	case x.out == streaming:
		panic("http1: Finish of a Response whose body is a Stream: call the Stream's")
	}
	w.decide(x.body.discardable(x, false))
	body := w.owned.bytes
	if body == nil && w.body != nil {
		body = w.body.B
	}
	framing := w.framing(int64(len(body)))
	if framing == httpparse.NoBody || w.head.Status == http.StatusResetContent {
		body = nil
	}
	out := w.sendHead(framing, int64(len(body)))
	if x.request.isHead() {
		body = nil
	}
	w.sent = int64(len(body))
	switch { // a failure ends the connection
	case len(body) <= copyLimit:
		out.B = append(out.B, body...)
	case w.owned.bytes != nil:
		_ = x.conn.WriteOwned(body, w.takeOwned().release)
	default:
		_ = x.conn.WriteBuffer(w.body)
		w.body = nil
	}
	owned := w.takeOwned()
	x.sent()
	owned.free() // after the response, because release may panic
}

// Refuse sends a response with this status and its reason phrase as the body, in place of the one
// set so far, and closes the connection, as for an invalid request: see Stats.Refused. Input is
// discarded, so that the client can read the response.
func (w *Response) Refuse(status int) {
	if i := slices.Index(refusals[:], status); i >= 0 {
		w.session.server.count.refused[i]++
	}
	w.Reset()
	w.head.Status = status
	w.head.Close = true
	w.head.fields.add("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.WriteString(reason(status) + "\n") // never fails
	w.Finish()
}

// Busy writes 503 with Retry-After, for want of capacity: see Stats.Overloaded.
func (w *Response) Busy() {
	w.session.server.count.Overloaded++
	_ = w.SetStatus(http.StatusServiceUnavailable) // valid
	_ = w.SetHeader("Retry-After", "1")            // valid
	_, _ = w.WriteString("busy\n")                 // never fails
}

// Drop ends the connection in place of the response, or of its rest. Pending output is sent, unless
// the client could take it for a complete response (RFC 9112 section 8).
func (w *Response) Drop() {
	x := w.session
	if x.out == streaming && x.stream.framing == httpparse.UntilClose {
		x.stream.Abort()
		return
	}
	x.conn.Close()
}

// Handled reports, to an OnHead around another, whether the response was begun or deferred.
func (w *Response) Handled() bool { return w.session.out >= deferred }

// WriteInterim sends an interim response, such as 103 Early Hints, at once (RFC 9110 section 15.2),
// but not to an HTTP/1.0 client. There may be several. The error is ErrAnswered after the beginning
// of the final response, or that of a status not between 102 and 199. See ResumeBody for 100.
func (w *Response) WriteInterim(h *Head) error {
	x := w.session
	switch {
	case h.Status <= http.StatusSwitchingProtocols || h.Status >= minStatus:
		return statusError(h.Status)
	case x.out >= streaming:
		return ErrAnswered
	case x.request.head.Minor == 0:
		return nil
	}
	out := x.conn.Out()
	out.B = append(appendStatusLine(out.B, h.Status), h.fields...)
	out.B = append(out.B, "\r\n"...)
	return nil
}

// tunnel reports whether it is a 2xx to CONNECT: no HTTP follows (RFC 9110 section 9.3.6).
func (w *Response) tunnel() bool {
	return w.session.request.head.Form == httpparse.AuthorityForm && w.head.Status/100 == 2
}

// framing is that of a body of this length; -1 if it is unknown.
func (w *Response) framing(length int64) httpparse.Framing {
	switch status := w.head.Status; {
	case status < 200, status == http.StatusNoContent, status == http.StatusNotModified, w.head.NoLength, w.tunnel():
		return httpparse.NoBody // without a length either: RFC 9110 sections 8.6, 15.2, 15.3.5 and 15.4.5
	case length >= 0:
		return httpparse.ContentLength
	case w.session.request.head.Minor > 0:
		return httpparse.ChunkedBody
	}
	return httpparse.UntilClose
}

// sendHead returns the buffer that the head is in, for the body.
func (w *Response) sendHead(framing httpparse.Framing, length int64) *buffers.Buffer {
	x := w.session
	out := x.conn.Out()
	dst := x.server.stamp.append(out.B, &w.head, x.conn.Loop().Now())
	dst = append(dst, w.connectionLine()...)
	switch framing {
	case httpparse.ContentLength:
		dst = append(dst, "Content-Length: "...)
		dst = strconv.AppendInt(dst, length, 10)
		dst = append(dst, '\r', '\n')
	case httpparse.ChunkedBody:
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	}
	out.B = append(dst, '\r', '\n')
	return out
}

func (w *Response) connectionLine() string {
	x := w.session
	switch http10 := x.request.head.Minor == 0; {
	case w.upgradeOffered && !x.persist: // RFC 9110 section 7.8
		return "Connection: Upgrade, close\r\n"
	case w.upgradeOffered && http10:
		return "Connection: Upgrade, keep-alive\r\n"
	case w.upgradeOffered:
		return "Connection: Upgrade\r\n"
	case !x.persist:
		return "Connection: close\r\n"
	case http10:
		return "Connection: keep-alive\r\n"
	}
	return ""
}

func (r *Request) isHead() bool { return string(r.Method()) == http.MethodHead }

// SetBody makes p the body, in place of the one written so far. A large p is not copied: it must
// not change until release, which may be nil, is called, once, on the loop. That is when p is
// written; when it is not sent, because the response has no body (RFC 9110 section 6.4.1) or the
// connection ends; or when Reset, another SetBody or an error replaces it. Write copies p and
// appends to it. In a handler of Blocking, SetBody copies p at once, and calls release.
func (w *Response) SetBody(p []byte, release func()) {
	w.takeOwned().free()
	if w.body != nil {
		w.body.Reset()
	}
	if p == nil {
		p = []byte{} // nil is none
	}
	w.owned = piece{bytes: p, release: release}
	if w.session == nil {
		w.buffer() // without a connection nothing would release it
	}
}

func (w *Response) takeOwned() (p piece) {
	p, w.owned = w.owned, p
	return p
}
