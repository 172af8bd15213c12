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
	head    Head
	body    *buffers.Buffer // nil while nothing is written
	owned   piece           // set with SetBody, in place of body
	isOwned bool            // owned is set
	length  int64           // announced with SetLength; -1 if not
	sent    int64           // bytes of body handed to the connection
	offer   bool            // an Upgrade field is set
}

// begin makes the response ready for its handler.
func (w *Response) begin() {
	w.head.Status = http.StatusOK
	w.length = -1
	w.sent = 0
}

func (w *Response) reset() {
	w.head.Reset()
	w.offer = false
	w.dropOwned()
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
	w.head.Status = code
	return nil
}

// Status is the status code set so far.
func (w *Response) Status() int { return w.head.Status }

// SetHead copies h, in place of the status and the fields set so far. It does not undo
// Connection: close. The error is that of a status which no answer can have.
func (w *Response) SetHead(h *Head) error {
	if h.Status != 0 && (h.Status < 100 || h.Status > 999) {
		return statusError(h.Status)
	}
	closes := w.head.Close
	w.head.copyFrom(h)
	w.head.Close = h.Close || closes
	if h.Status == 0 {
		w.head.Status = http.StatusOK
	}
	w.offer = false
	return nil
}

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
		w.head.fields.remove(name)
	}
	w.head.fields.add(name, value)
	return nil
}

// takes notes what a field has the engine do, and says whether that is all of it.
func (w *Response) takes(o owner) bool {
	w.head.Close = w.head.Close || o == ownerConnection
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
	if w.isOwned {
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
	x.persist = x.request.head.KeepAlive && !w.head.Close && !w.tunnel() && bodyRead &&
		!x.conn.Loop().Draining() && !x.server.noKeepAlive.Load()
}

// Finish sends the answer whole, before the handler returns: what follows in the
// handler has no effect on it. In OnHead it answers a request whose body has not
// come, which is then discarded within Options.MaxDiscardBytes, or else the
// connection closed.
func (w *Response) Finish() {
	x := w.session
	switch {
	case x.out == answered || !x.conn.Open():
		return
	case x.out == streaming:
		panic("http1: Finish of a Response whose body is a Stream: call the Stream's")
	}
	w.decide(x.body.bounded(x))
	var body []byte
	unframed := w.unframed()
	switch {
	case unframed || w.head.Status == http.StatusResetContent:
	case w.isOwned:
		body = w.owned.bytes
	case w.body != nil:
		body = w.body.B
	}
	out := x.conn.Out()
	dst := w.appendHead(out.B)
	if !unframed {
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
	case w.isOwned:
		_ = x.conn.WriteOwned(body, w.takeOwned().release)
	default:
		_ = x.conn.WriteBuffer(w.body)
		w.body = nil
	}
	if !w.isOwned {
		x.sent()
		return
	}
	owned := w.takeOwned()
	x.sent()
	owned.done() // when the answer is given: it may panic
}

// Refuse answers with this status and its reason phrase as the body, in place of what
// was set, and closes the connection, as the server answers what breaks a rule: see
// Stats.Refused. What the client still sends is discarded, so that it can read the answer.
func (w *Response) Refuse(status int) {
	w.session.server.count().refuse(status)
	w.Reset()
	w.head.Status = status
	w.head.Close = true
	w.head.fields.add("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.WriteString(reason(status) + "\n") // never fails
	w.Finish()
}

// Busy writes 503 with Retry-After, for a request that there is no room for: see
// Stats.Overloaded.
func (w *Response) Busy() {
	w.session.server.count().Overloaded++
	_ = w.SetStatus(http.StatusServiceUnavailable) // valid
	_ = w.SetHeader("Retry-After", "1")            // valid
	_, _ = w.WriteString("busy\n")                 // never fails
}

// Drop ends the connection in place of the answer, or of the rest of it. What was sent
// before still reaches the client, unless it could take that for the whole (RFC 9112
// section 8).
func (w *Response) Drop() {
	x := w.session
	if x.out == streaming && x.stream.framing == httpparse.UntilClose {
		x.stream.Abort()
		return
	}
	x.conn.Close()
}

// Handled says whether the answer has been given, begun, or deferred: then an OnHead that
// was called before has taken the request over.
func (w *Response) Handled() bool { return w.session.out >= deferred }

// WriteInterim sends an interim answer, such as 103 Early Hints, before the final one
// (RFC 9110 section 15.2): at once, and as often as it is called. HTTP/1.0 knows none: to
// such a client nothing is sent. The error says that the final answer has begun, or that
// the status is not one of 102 to 199; ResumeBody sends 100, and Upgrade 101.
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
	out.B = append(appendStatusLine(out.B, h.Status), h.fields.lines...)
	out.B = append(out.B, "\r\n"...)
	return nil
}

// tunnel says that the answer is a 2xx to CONNECT: what follows its head is not HTTP,
// and so it has no framing (RFC 9110 section 9.3.6).
func (w *Response) tunnel() bool {
	return w.session.request.head.Form == httpparse.AuthorityForm && w.head.Status/100 == 2
}

// unframed says that the answer has no body, and no field for its length.
func (w *Response) unframed() bool {
	return w.head.NoLength || lengthless(w.head.Status) || w.tunnel()
}

func appendLength(dst []byte, n int64) []byte {
	dst = append(dst, "Content-Length: "...)
	dst = strconv.AppendInt(dst, n, 10)
	return append(dst, '\r', '\n')
}

// appendHead appends the status line and the fields, up to those of the framing.
func (w *Response) appendHead(dst []byte) []byte {
	x := w.session
	dst = x.server.stamp.append(dst, &w.head, x.conn.Loop().Now())
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

// SetBody makes p the body, in place of what was written so far. A large one is sent
// without a copy: p must not change until release is called, once, on the loop: when it
// is written, and also when it is not sent at all, to HEAD or with a status that has no
// body (RFC 9110 section 6.4.1), because the connection ends, or because Reset, another
// SetBody or an error takes its place. release may be nil. What is written after the
// call comes behind p, which is copied then. For a handler of Blocking p is copied at
// once, and release called on its goroutine.
func (w *Response) SetBody(p []byte, release func()) {
	w.dropOwned()
	if w.body != nil {
		w.body.Reset()
	}
	w.owned, w.isOwned = piece{bytes: p, release: release}, true
	if w.session == nil {
		w.buffer() // nobody would release it if the client went
	}
}

// copyOwned makes the memory of SetBody the response's own.
func (w *Response) copyOwned() {
	w.body.B = append(w.body.B, w.owned.bytes...)
	w.dropOwned()
}

// takeOwned gives up the memory of SetBody.
func (w *Response) takeOwned() piece {
	p := w.owned
	w.owned, w.isOwned = piece{}, false
	return p
}

// dropOwned releases it, if there is any.
func (w *Response) dropOwned() {
	if w.isOwned {
		w.takeOwned().done()
	}
}
