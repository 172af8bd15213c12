package http1

import (
	"time"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/httpparse"
)

// bodyReader takes a request's body off the input. A body that has come whole with
// its head is left where it is; any other is gathered.
type bodyReader struct {
	waiting  bool // a deadline runs for the head or the body
	chunks   httpparse.Chunked
	received int64           // bytes of the body
	gathered *buffers.Buffer // what has come; nil while nothing has been copied
	started  int64           // when the body began, on the loop's clock
}

// begin is called behind the head. rest is what of the body is here.
func (b *bodyReader) begin(x *session, rest []byte) {
	h := &x.request.head
	whole := h.Framing == httpparse.ContentLength && int64(len(rest)) >= h.Length
	if h.ExpectContinue && len(rest) == 0 {
		_, _ = x.conn.WriteString("HTTP/1.1 100 Continue\r\n\r\n") // a failure ends the connection
	}
	if !whole {
		b.started = x.conn.Loop().Now()
		b.gathered = buffers.Get()
		b.wait(x)
	}
}

// wait moves the deadline with what has come: the peer owes MinBodyRate.
func (b *bodyReader) wait(x *session) {
	o := &x.server.options
	earned := time.Duration(b.received/int64(o.MinBodyRate)) * time.Second
	spent := time.Duration(x.conn.Loop().Now() - b.started)
	x.conn.SetDeadline(max(o.ReadTimeout+earned-spent, 1))
}

// read takes what in has of the body, and has the request handled at its end. It
// returns how much of in it has used.
func (b *bodyReader) read(x *session, in []byte) int {
	if x.request.head.Framing == httpparse.ChunkedBody {
		return b.readChunks(x, in)
	}
	h := &x.request.head
	if b.gathered == nil {
		x.request.body = in[:h.Length]
		x.handle()
		return int(h.Length)
	}
	n := int(min(int64(len(in)), h.Length-b.received))
	b.gather(in[:n])
	b.finish(x, b.received == h.Length)
	return n
}

func (b *bodyReader) gather(p []byte) {
	b.gathered.B = append(b.gathered.B, p...)
	b.received += int64(len(p))
}

// finish goes on to the handler if the body is complete.
func (b *bodyReader) finish(x *session, complete bool) {
	if !complete {
		b.wait(x)
		return
	}
	x.request.body = b.gathered.B
	x.handle()
}

// readChunks takes chunks, then the trailer section.
func (b *bodyReader) readChunks(x *session, in []byte) (used int) {
	for !b.chunks.Done() {
		data, n, err := b.chunks.Next(in[used:], &x.server.limits)
		if err == nil && b.received+int64(len(data)) > x.server.options.MaxBodyBytes {
			err = errBodyTooLarge
		}
		if err != nil {
			x.refuse(err)
			return 0
		}
		used += n
		b.gather(data)
		if n == 0 {
			b.finish(x, false)
			return used
		}
	}
	r := &x.request
	n, err := r.trailer.Parse(in[used:], &x.server.limits)
	switch {
	case err != nil:
		x.refuse(err)
		return 0
	case n == 0:
		b.finish(x, false)
		return used
	}
	r.trailerBuf = in[used : used+n]
	b.finish(x, true)
	return used + n
}

// pin copies a body that stands in the loop's input buffer.
func (b *bodyReader) pin(r *Request) {
	if b.gathered != nil || len(r.body) == 0 {
		return
	}
	b.gathered = buffers.Get()
	b.gathered.B = append(b.gathered.B, r.body...)
	r.body = b.gathered.B
}

func (b *bodyReader) reset() {
	if b.gathered != nil {
		buffers.Put(b.gathered)
	}
	*b = bodyReader{}
}
