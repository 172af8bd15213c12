// Package http1 is HTTP/1.1 as a protocol of an eddy engine (RFC 9110, RFC 9112): keep-alive,
// pipelining, and responses that come now, later, or in pieces.
//
//	engine, err := eddy.New(eddy.Options{})
//	...
//	server, err := http1.New(handler, http1.Options{})
//	...
//	_, err = engine.Listen("tcp", ":8080", server.Open)
//
// Server.Open is a loop.Protocol: it can be wrapped, used over layers, and started by another
// protocol.
//
// A Handler runs on the connection's loop and must not block. There are several ways to respond
// later:
//
//   - Response.Defer: from any goroutine. Waiting needs no goroutine.
//   - Response.Stream: in pieces, no faster than the client reads.
//   - Blocking: by a handler that blocks, on a Pool of goroutines.
//   - Package nethttp: by a net/http handler.
//   - Response.Upgrade and Response.Hijack: in another protocol.
//
// Options.OnHead sees a request before its body has come: to refuse it early, or to have the body
// delivered in pieces with Request.OnBody.
//
// For adapters, such as package nethttp, are Request.Head, OnBodyBuffer, PauseBody and ResumeBody,
// Response.SetHead, Deferred.Do and Stream.SendOwned.
//
// Package httpparse parses requests. An invalid request gets the status of the rule that it breaks,
// and the connection is closed. A handler cannot split a response: SetHeader rejects control bytes.
package http1
