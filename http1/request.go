package http1

import (
	"bytes"
	"context"
	"iter"
	"net"
	"net/netip"

	"github.com/eddynet/eddy/httpparse"
)

// Request is a complete request. What its methods return are views: they are valid
// until the handler returns, and must not be changed. After w.Defer or w.Stream the
// request itself stays valid until the answer is complete, but views taken before
// the handler returned do not: take them again. Clone makes a copy to keep. A
// Request belongs to its loop; while it is deferred, any goroutine may read it
// until the answer is given.
type Request struct {
	session    *session
	head       httpparse.Request
	buf        []byte // of the head
	body       []byte
	trailer    httpparse.Trailer
	trailerBuf []byte
	context    func() context.Context // set for a handler that blocks
}

// view is what s covers. A head that broke off leaves spans without an end.
func (r *Request) view(s httpparse.Span) []byte {
	if s.End <= s.Start || int(s.End) > len(r.buf) {
		return nil
	}
	return s.Of(r.buf)
}

// Method is the method, as sent: its case matters (RFC 9110 section 9.1).
func (r *Request) Method() []byte { return r.view(r.head.Method) }

// Target is the request target, as sent (RFC 9112 section 3.2).
func (r *Request) Target() []byte { return r.view(r.head.Target) }

var root = []byte("/")

// Path is the target's path, not decoded: "/" where an absolute target has none,
// and "*" for OPTIONS * (RFC 9112 section 3.2). It is empty for CONNECT.
func (r *Request) Path() []byte {
	p := r.view(r.head.Path)
	if len(p) == 0 {
		switch r.head.Form {
		case httpparse.AbsoluteForm:
			return root
		case httpparse.AsteriskForm:
			return r.Target()
		}
	}
	return p
}

// Query is the target's query, not decoded, without its question mark.
func (r *Request) Query() []byte { return r.view(r.head.Query) }

// Head is the parsed head, whose spans refer to the bytes that are returned with it: for
// programs that make a request of their own type of it.
func (r *Request) Head() (*httpparse.Request, []byte) { return &r.head, r.buf }

// Host is the authority the request is for: the target's, or the field Host
// (RFC 9112 section 3.3).
func (r *Request) Host() []byte { return r.view(r.head.Host) }

// Minor is the minor version: 1 for HTTP/1.1 and what is above, 0 for HTTP/1.0.
func (r *Request) Minor() int { return r.head.Minor }

// Header is the value of the first field of that name, in any case, nil without
// one. White space around it is removed.
func (r *Request) Header(name string) []byte {
	v, _ := r.head.Fields.Get(r.buf, name)
	return v
}

// Fields yields name and value of each field, in the order received.
func (r *Request) Fields() iter.Seq2[[]byte, []byte] { return fields(r.head.Fields, r.buf) }

// Trailers yields name and value of each trailer field of a chunked body, in the
// order received. They are never mixed with the fields of the head (RFC 9110
// section 6.5.1).
func (r *Request) Trailers() iter.Seq2[[]byte, []byte] {
	return fields(r.trailer.Fields, r.trailerBuf)
}

func fields(list []httpparse.Field, buf []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for _, f := range list {
			if !yield(f.Name.Of(buf), f.Value.Of(buf)) {
				return
			}
		}
	}
}

// Body is the whole body, decoded if it was chunked. It is empty, not nil, for a
// request without one.
func (r *Request) Body() []byte { return r.body }

// OnBody has the body delivered piece by piece, as it comes, decoded if it is
// chunked: fn gets each piece with a nil error. When all has come, fn is called with
// io.EOF and no chunk, and then the handler, for which Body is empty. When the rest will
// not come, fn is called with io.ErrUnexpectedEOF, because the connection has ended, or
// with the error that the server answers: a rule is broken (*httpparse.Error), or the
// client is too slow (os.ErrDeadlineExceeded). Either call is the last. After a complete answer fn is not called
// any more. A chunk is valid until fn returns. Call it in Options.OnHead; fn runs on the
// loop. The limit of the body holds as it does without: see SetMaxBody.
func (r *Request) OnBody(fn func(chunk []byte, err error)) { r.session.body.pieces = fn }

// OnBodyBuffer has a body with a length read into memory of the program's, where fn has
// some: fn is called before the connection is read, with the number of bytes that are
// left, and the next call is OnBody's, with the beginning of the memory as the chunk,
// which is empty if nothing came. Until then the memory belongs to the loop. If fn returns
// none, the next piece comes as without it. Call it in Options.OnHead, after OnBody; fn
// runs on the loop.
func (r *Request) OnBodyBuffer(fn func(left int64) []byte) { r.session.body.buffer = fn }

// SetMaxBody replaces Options.MaxBodyBytes for this request, in bytes. Call it in
// Options.OnHead. Loop only.
func (r *Request) SetMaxBody(n int64) { r.session.body.limit = n }

// PauseBody stops the delivery of pieces after the one at hand, until ResumeBody:
// flow control holds the client up meanwhile. If OnHead pauses the body, a client that
// waits for 100 Continue (RFC 9110 section 10.1.1) gets it with ResumeBody. Loop only.
func (r *Request) PauseBody() {
	x := r.session
	b := &x.body
	if b.unwanted {
		return
	}
	if !b.paused {
		b.paused, b.pausedAt = true, x.conn.Loop().Now()
	}
	x.conn.PauseRead()
	if x.in == inBody {
		x.awaitAnswer()
	}
}

// ResumeBody ends a pause. Loop only.
func (r *Request) ResumeBody() {
	x := r.session
	b := &x.body
	if !b.paused {
		return
	}
	b.paused = false
	b.started += x.conn.Loop().Now() - b.pausedAt // the client is not to blame for it
	if x.in == inBody && b.received == 0 && x.conn.Buffered() == 0 {
		b.sendContinue(x)
	}
	x.conn.ResumeRead()
	x.settle()
}

// Discardable says whether what is missing of the body is known to be within
// Options.MaxDiscardBytes: after an answer that is given now, the connection can go on.
// Loop only.
func (r *Request) Discardable() bool { return r.session.body.bounded(r.session) }

// RemoteAddr is the peer's address, such as "192.0.2.1:1234", "@" for a Unix
// socket. It is made anew at each call.
func (r *Request) RemoteAddr() string { return r.session.conn.RemoteAddr().String() }

// LocalAddr is the address that the client has connected to, nil if it has gone. Loop only.
func (r *Request) LocalAddr() net.Addr { return r.session.conn.LocalAddr() }

// RemoteAddrPort is the peer's address without an allocation, the zero value for a
// Unix socket.
func (r *Request) RemoteAddrPort() netip.AddrPort { return r.session.conn.RemoteAddrPort() }

// ConnValue is what Options.OnOpen has returned for the connection, nil without it.
func (r *Request) ConnValue() any { return r.session.value }

// Context is cancelled when the client has gone or the time for the answer is up. It
// is that of the deferred answer; without one, on the loop, it never ends.
func (r *Request) Context() context.Context {
	if r.context != nil {
		return r.context()
	}
	if d := r.session.deferred; d != nil {
		return d.Context()
	}
	return context.Background()
}

// Clone copies the request. The copy is independent of the connection, whose
// addresses it has no more: its RemoteAddr must not be called.
func (r *Request) Clone() *Request {
	c := *r
	c.session = nil
	c.buf = bytes.Clone(r.buf)
	c.body = bytes.Clone(r.body)
	c.trailerBuf = bytes.Clone(r.trailerBuf)
	c.head.Fields = append([]httpparse.Field(nil), r.head.Fields...)
	c.trailer.Fields = append([]httpparse.Field(nil), r.trailer.Fields...)
	return &c
}

func (r *Request) reset() {
	if r.head.Framing == httpparse.ChunkedBody {
		r.trailer.Reset()
		r.trailerBuf = nil
	}
	r.head.Reset()
	r.buf = nil
	r.body = nil
}
