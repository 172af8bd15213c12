package http1

import (
	"net/http"
	"strconv"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/httpparse"
	"github.com/eddynet/eddy/loop"
)

// copyLimit is the size in bytes up to which a body is copied behind its head: one
// segment of output is then cheaper than two.
const copyLimit = 16 << 10

// Response is the answer to a request. Its body is gathered, and sent with its
// length when the handler returns. It belongs to its loop, and is valid until the
// handler returns, or until the answer is complete if that is later.
type Response struct {
	session *session
	request *Request
	status  int
	fields  fieldList
	body    *buffers.Buffer // nil while nothing is written
	owned   owned           // set with SetBody, in place of body
	length  int64           // announced with SetLength; -1 if not
	sent    int64           // bytes of body handed to the connection
	close   bool
	offer   bool     // an Upgrade field is set
	own     ownLines // that the engine leaves to whoever made the fields
}

// begin makes the response ready for its handler.
func (w *Response) begin() {
	w.status = http.StatusOK
	w.length = -1
	w.sent = 0
}

func (w *Response) reset() {
	w.fields.reset()
	w.close = false
	w.offer = false
	w.own = 0
	w.owned.drop()
	if w.body != nil && cap(w.body.B) <= copyLimit {
		w.body.Reset() // kept for the next answer
	} else if w.body != nil {
		w.dropBody()
	}
}

func (w *Response) dropBody() {
	if w.body != nil {
		buffers.Put(w.body)
		w.body = nil
	}
}

// Request is the request that w answers.
func (w *Response) Request() *Request { return w.request }

// Loop is the loop that the connection lives on, for timers: Loop().After.
func (w *Response) Loop() *loop.Loop { return w.session.conn.Loop() }

// SetStatus sets the status code, 200 to 599; any other is an error, and changes
// nothing. It is 200 without a call.
func (w *Response) SetStatus(code int) error {
	if code < minStatus || code > maxStatus {
		return statusError(code)
	}
	w.status = code
	return nil
}

// Status is the status code set so far.
func (w *Response) Status() int { return w.status }

// SetHeader sets a field, in place of those of that name set before. The error
// says why it cannot be set: the name is not a token, the value holds a control
// byte such as CR or LF, or the field is the engine's: Content-Length,
// Transfer-Encoding, Date and Server always, Connection with any value but close.
// With Upgrade, Connection: Upgrade is sent too (RFC 9110 section 7.8).
func (w *Response) SetHeader(name, value string) error {
	return w.setField(name, value, true)
}

// AddHeader is SetHeader, but keeps fields of that name set before.
func (w *Response) AddHeader(name, value string) error {
	return w.setField(name, value, false)
}

func (w *Response) setField(name, value string, replace bool) error {
	owner, err := checkField(name, value)
	if err != nil || w.takes(owner) {
		return err
	}
	if replace {
		w.fields.remove(name)
	}
	w.fields.add(name, value)
	return nil
}

// SetField is SetHeader for a field that has been checked before.
func (w *Response) SetField(f Field) {
	if !w.takes(f.owner) {
		w.fields.remove(f.line[:f.name])
		w.fields.lines = append(w.fields.lines, f.line...)
	}
}

// AddField is AddHeader for a field that has been checked before.
func (w *Response) AddField(f Field) {
	if !w.takes(f.owner) {
		w.fields.lines = append(w.fields.lines, f.line...)
	}
}

// takes notes what a field has the engine do, and says whether that is all of it.
func (w *Response) takes(o owner) bool {
	w.close = w.close || o == ownerConnection
	w.offer = w.offer || o == ownerUpgrade
	return o == ownerConnection
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
	if w.owned.set {
		w.copyOwned()
	}
	return w.body
}

// Reset drops status, fields and body set so far.
func (w *Response) Reset() {
	w.reset()
	w.begin()
	if w.body != nil {
		w.body.Reset()
	}
}

// decide settles whether the connection goes on after this answer. The rest of the
// body, if there is one, must be going to be read.
func (w *Response) decide(bodyRead bool) {
	x := w.session
	x.persist = x.request.head.KeepAlive && !w.close && !w.tunnel() && bodyRead &&
		!x.conn.Loop().Draining() && !x.server.noKeepAlive.Load()
}

// Finish sends the answer whole, before the handler returns: what follows in the
// handler has no effect on it. In OnHead it answers a request whose body has not
// come, which is then read away within Options.MaxDiscardBytes, or else the
// connection closed.
func (w *Response) Finish() {
	x := w.session
	switch x.out {
	case answered:
		return
	case streaming:
		panic("http1: Finish of a Response whose body is a Stream: call the Stream's")
	}
	w.decide(x.body.bounded(x))
	var body []byte
	switch {
	case w.bodyless():
	case w.owned.set:
		body = w.owned.bytes
	case w.body != nil:
		body = w.body.B
	}
	out := x.conn.Out()
	dst := w.appendHead(out.B)
	if !w.lengthless() {
		dst = appendLength(dst, int64(len(body)))
	}
	dst = append(dst, '\r', '\n')
	if x.request.isHead() {
		body = nil
	}
	w.sent = int64(len(body))
	out.B = dst
	switch { // a failure ends the connection
	case len(body) <= copyLimit:
		out.B = append(dst, body...)
	case w.owned.set:
		_ = x.conn.WriteOwned(body, w.owned.take())
	default:
		_ = x.conn.WriteBuffer(w.body)
		w.body = nil
	}
	release := w.owned.take()
	x.sent()
	if release != nil {
		release() // when the answer is given: it may panic
	}
}

// tunnel says that the answer is a 2xx to CONNECT: what follows its head is not HTTP,
// and so it has no framing (RFC 9110 section 9.3.6).
func (w *Response) tunnel() bool {
	return w.session.request.head.Form == httpparse.AuthorityForm && w.status/100 == 2
}

func (w *Response) bodyless() bool { return bodyless(w.status) || w.tunnel() }
func (w *Response) lengthless() bool {
	return lengthless(w.status) || w.tunnel() || w.own&ownFraming != 0
}

func appendLength(dst []byte, n int64) []byte {
	dst = append(dst, "Content-Length: "...)
	dst = strconv.AppendInt(dst, n, 10)
	return append(dst, '\r', '\n')
}

// appendHead appends the status line and the fields, up to those of the framing.
func (w *Response) appendHead(dst []byte) []byte {
	x := w.session
	dst = x.server.stamp.append(dst, w.status, x.conn.Loop().Now(), w.own)
	dst = append(dst, w.fields.lines...)
	return append(dst, w.connectionLine()...)
}

// connectionLine is the line of the Connection field, if there has to be one.
func (w *Response) connectionLine() string {
	x := w.session
	switch old := x.request.head.Minor == 0; {
	case w.offer && !x.persist: // RFC 9110 section 7.8
		return "Connection: Upgrade, close\r\n"
	case w.offer && old:
		return "Connection: Upgrade, keep-alive\r\n"
	case w.offer:
		return "Connection: Upgrade\r\n"
	case !x.persist:
		return "Connection: close\r\n"
	case old:
		return "Connection: keep-alive\r\n"
	}
	return ""
}

func (r *Request) isHead() bool { return string(r.Method()) == http.MethodHead }
