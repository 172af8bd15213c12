// Package httpparse parses HTTP/1.1 heads and chunked bodies incrementally, as their bytes arrive (RFC 9112).
//
// It does no I/O and copies nothing: the caller owns the bytes, and results are spans of its buffer. It allocates only
// when a message has more fields than the array of Fields, which is reused, has room for. An incomplete message is not
// an error. A malformed one is refused at its first bad byte, however the network has cut it.
//
// This is how a server reads requests:
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
//		if buf, err = readMore(buf); err != nil { // appends to buf
//			return err
//		}
//	}
//
// Request.Framing tells how the body is delimited. With ChunkedBody, a Chunked decodes the chunks and a Trailer parses
// the trailer section after them.
//
// The parser is strict where leniency would let two recipients disagree about the end of a message: bare LF, folded
// lines, white space before a colon, repeated Content-Length, Content-Length with Transfer-Encoding, and transfer
// codings other than chunked are refused.
//
// Only one goroutine at a time may use a value of these types. Functions are for any goroutine.
package httpparse
