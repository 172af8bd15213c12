package http1

import (
	"bytes"
	"context"
	"crypto/tls"
	"iter"
	"net"
	"slices"

	"github.com/eddynet/eddy/httpparse"
)

// Request is a complete request. Slices from its methods are valid until the handler returns, and
// must not be changed. After w.Defer or w.Stream the Request is valid until the response is
// complete, but not these slices: call the methods again. Clone makes an independent copy. A
// Request belongs to its loop; while the response is deferred, any goroutine may read it.
type Request struct {
	session    *session
	head       httpparse.Request
	buf        []byte // of the head
	body       []byte
	trailer    httpparse.Trailer
	trailerBuf []byte
	deferred   *Deferred // of Blocking
}

// view is the part of the head that s covers. The spans of an invalid head may have no end.
func (r *Request) view(s httpparse.Span) []byte {
	if s.End <= s.Start || int(s.End) > len(r.buf) {
		return nil
	}
	return s.Of(r.buf)
}

// Method is the method, as sent; it is case-sensitive (RFC 9110 section 9.1).
func (r *Request) Method() []byte { return r.view(r.head.Method) }

// Target is the request target, as sent (RFC 9112 section 3.2).
func (r *Request) Target() []byte { return r.view(r.head.Target) }

var root = []byte("/")

// Path is the path of the target, not decoded: "/" where an absolute target has none, "*" for
// OPTIONS *, empty for CONNECT (RFC 9112 section 3.2).
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

// Head is the parsed head, and the bytes that its spans refer to: for Minor, or for adapters.
func (r *Request) Head() (*httpparse.Request, []byte) { return &r.head, r.buf }

// Host is the authority of the target or else the field Host (RFC 9112 section 3.3).
func (r *Request) Host() []byte { return r.view(r.head.Host) }

// Header is the value, trimmed, of the first field of that name, in any case; nil if there is none.
func (r *Request) Header(name string) []byte {
	v, _ := r.head.Fields.Get(r.buf, name)
	return v
}

// Fields yields name and value of each field, in the order received.
func (r *Request) Fields() iter.Seq2[[]byte, []byte] { return fields(r.head.Fields, r.buf) }

// Trailers yields the trailer fields of a chunked body likewise. They are separate from the fields
// of the head (RFC 9110 section 6.5.1).
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

// Body is the complete body, decoded if it was chunked; empty without one.
func (r *Request) Body() []byte { return r.body }

// OnBody has the body delivered in pieces as they arrive, decoded if it is chunked, each with a nil
// error. The last call of fn has no piece and one of these errors:
//
//   - io.EOF at the end of the body. The handler follows, and Body is empty.
//   - io.ErrUnexpectedEOF when the connection has ended.
//   - The error sent to the client: a *httpparse.Error for an invalid body, or one that is
//     os.ErrDeadlineExceeded for a body that comes too slowly.
//
// After a complete response fn is not called. A piece is valid until fn returns. Call OnBody in
// Options.OnHead; fn runs on the loop. SetMaxBody limits the body as without OnBody.
func (r *Request) OnBody(fn func(chunk []byte, err error)) { r.session.body.onBody = fn }

// OnBodyBuffer has a body with a known length read into memory of the program. Before a read, fn
// gets the number of remaining bytes, and returns the memory, or nil if it has none now. The loop
// owns the memory until the next call of OnBody's function, whose piece is its beginning, or empty.
// Call it in Options.OnHead, after OnBody; fn runs on the loop.
func (r *Request) OnBodyBuffer(fn func(left int64) []byte) { r.session.body.onBuffer = fn }

// SetMaxBody replaces Options.MaxBodyBytes, in bytes. Call it in Options.OnHead. Loop only.
func (r *Request) SetMaxBody(n int64) { r.session.body.limit = n }

// PauseBody stops the delivery of pieces until ResumeBody; flow control stops the client. After a
// pause in OnHead, ResumeBody sends 100 Continue if it is due (RFC 9110 section 10.1.1). Loop only.
func (r *Request) PauseBody() {
	x := r.session
	b := &x.body
	if x.out == responded {
		return
	}
	if !b.paused {
		b.paused, b.pausedAt = true, x.conn.Loop().Now()
	}
	x.conn.PauseRead()
	if x.in == readingBody {
		x.setTimeout()
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
	b.started += x.conn.Loop().Now() - b.pausedAt // the pause does not count for MinBodyRate
	if x.in == readingBody && b.received == 0 && x.conn.Buffered() == 0 {
		b.sendContinue(x)
	}
	x.conn.ResumeRead()
	x.proceed()
}

// Discardable reports whether the rest of the body is known to be within Options.MaxDiscardBytes,
// so that the connection can persist after an immediate response. Loop only.
func (r *Request) Discardable() bool { return r.session.body.discardable(r.session, false) }

// RemoteAddr is the peer, such as "192.0.2.1:1234", or "@" for a Unix socket. Each call allocates.
func (r *Request) RemoteAddr() string {
	if peer := r.session.conn.RemoteAddrPort(); peer.IsValid() {
		return peer.String()
	}
	return r.session.conn.RemoteAddr().String()
}

// LocalAddr is the local address of the connection, nil if the client has gone. Loop only.
func (r *Request) LocalAddr() net.Addr { return r.session.conn.LocalAddr() }

// TLS is the state of the connection's TLS, nil without it: that of a layer with a method
// ConnectionState, such as package eddytls adds. It must not be changed. Loop only.
func (r *Request) TLS() *tls.ConnectionState {
	for layer := range r.session.conn.Layers() {
		if secure, ok := layer.(interface{ ConnectionState() *tls.ConnectionState }); ok {
			return secure.ConnectionState()
		}
	}
	return nil
}

// ConnValue is the result of Options.OnOpen for the connection, nil without it.
func (r *Request) ConnValue() any { return r.session.client.value }

// Context is cancelled when the client has gone or the response has timed out. It is that of the
// deferred response; before Defer, it never ends.
func (r *Request) Context() context.Context {
	d := r.deferred
	if d == nil {
		d = r.session.deferred
	}
	if d == nil {
		return context.Background()
	}
	return d.Context()
}

// Clone copies the request. Only methods that return parts of the request may be called on the
// copy, which is independent of the connection.
func (r *Request) Clone() *Request {
	c := *r
	c.session = nil
	c.buf = bytes.Clone(r.buf)
	c.body = bytes.Clone(r.body)
	c.trailerBuf = bytes.Clone(r.trailerBuf)
	c.head.Fields = slices.Clone(r.head.Fields)
	c.trailer.Fields = slices.Clone(r.trailer.Fields)
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
