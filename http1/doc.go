// Package http1 is HTTP/1.1 as a protocol of an eddy engine (RFC 9110, RFC 9112):
// keep-alive, pipelining, and answers that come now, later, or piece by piece.
//
//	engine, err := eddy.New(eddy.Options{})
//	...
//	_, err = engine.Listen("tcp", ":8080", http1.New(handler, http1.Options{}))
//
// A Handler runs on the connection's loop and must not block. There is a way for
// each answer that it cannot give at once:
//
//   - Response.Defer: later, from any goroutine, which costs none while it waits.
//   - Response.Stream: piece by piece, no faster than the client reads.
//   - Blocking: by a handler that blocks, on a Pool of goroutines.
//   - NetHTTP and Adapter: by a net/http handler.
//   - Response.Upgrade and Response.Hijack: in another protocol.
//
// Options.OnHead sees a request before its body has come: to refuse it early, or to
// have the body delivered piece by piece with Request.OnBody.
//
// Request, Response and Stream belong to the loop. Deferred, Pool, and Stream's Send,
// TrySend, Close and Context are for any goroutine.
//
// Package httpparse parses, and is as strict as its comment says: what breaks a rule
// gets the status that the rule has, and the connection is closed. What a handler sets
// cannot split an answer: SetHeader refuses it.
package http1
