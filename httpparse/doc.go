// Package httpparse parses HTTP/1.1 heads and chunked bodies as their bytes arrive (RFC 9112).
//
// It does no input or output and keeps no copy: the caller owns the bytes, and results are spans of its buffer.
// Nothing is allocated while parsing, except when a message has more fields than the Fields array holds, and
// that array is used again. Too few bytes are not an error. Every rule is checked byte by byte while
// scanning, so a bad message is refused at its first bad byte, however the network cut it.
//
// A server reads one request like this, and goes on with the bytes behind it:
//
//	var head httpparse.Request
//	for {
//		n, err := head.Parse(buf, &limits)
//		if err != nil {
//			return refuse(err.(*httpparse.Error).Status) // and close
//		}
//		if n > 0 {
//			handle(&head, buf[:n])
//			buf = buf[n:] // the body, or the next request
//			head.Reset()
//			continue
//		}
//		if buf, err = readMore(buf); err != nil { // appends; what is there stays in front
//			return err
//		}
//	}
//
// Request.Framing says how the body is delimited. With ChunkedBody, a Chunked decodes the chunks and a Trailer
// parses what follows them.
//
// The parser is strict where leniency lets two recipients disagree about where a message ends: it takes no
// bare LF, no folded lines, no white space before a colon, no repeated Content-Length, no Content-Length beside
// Transfer-Encoding, and no transfer coding but chunked.
//
// The types hold plain state and no locks: one goroutine at a time for each value. Functions may be called from
// any goroutine.
package httpparse
