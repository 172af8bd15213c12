// Package http1 is HTTP/1.1 as a protocol of an eddy engine (RFC 9110, RFC 9112):
// keep-alive, pipelining, and answers that come now, later, or piece by piece.
//
//	engine, err := eddy.New(eddy.Options{})
//	...
//	protocol, err := http1.New(handler, http1.Options{})
//	...
//	_, err = engine.Listen("tcp", ":8080", protocol)
//
// A Handler runs on the connection's loop and must not block. There is a way for
// each answer that it cannot give at once:
//
//   - Response.Defer: later, from any goroutine, which costs none while it waits.
//   - Response.Stream: piece by piece, no faster than the client reads.
//   - Blocking: by a handler that blocks, on a Pool of goroutines.
//   - Package nethttp: by a net/http handler.
//   - Response.Upgrade and Response.Hijack: in another protocol.
//
// Options.OnHead sees a request before its body has come: to refuse it early, or to
// have the body delivered piece by piece with Request.OnBody.
//
// Request, Response and Stream belong to the loop. Deferred, Head, Pool, and Stream's Send,
// TrySend, SendOwned, Close and Context are for any goroutine.
//
// For an adapter to another interface, which package nethttp is an example of: Request.Head
// is the head as it was parsed; OnBodyBuffer has a body read into memory of the program's;
// PauseBody and ResumeBody leave its pace to the reader; Head and Response.SetHead send a
// head that was made elsewhere; Deferred.Do reaches the exchange from another goroutine;
// and Stream.SendOwned sends memory of the program's.
//
// Package httpparse parses, and is as strict as its comment says: what breaks a rule
// gets the status that the rule has, and the connection is closed. What a handler sets
// cannot split an answer: SetHeader refuses it.
package http1
