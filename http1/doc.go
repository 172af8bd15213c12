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
//   - NetHTTP, NetHTTPServer and Adapter: by a net/http handler.
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
//
// # net/http programs
//
// NetHTTPServer takes the settings of an http.Server, and a handler sees what net/http
// would show it. The module tests/nethttp of the repository runs net/http's own tests
// against it. These differences remain:
//
//	net/http                              here
//	--------                              ----
//	TLS, HTTP/2 (TLSConfig, Protocols)    ignored: a proxy in front ends TLS
//	Server.Serve, Shutdown, Close,        no effect: use Engine.Listen, Shutdown;
//	  RegisterOnShutdown                  Engine.Run returns after the drain
//	Server.SetKeepAlivesEnabled           no effect: use the method of http1.Server
//	no timeouts by default                those of Options hold where a field is zero or
//	                                      negative
//	WriteTimeout                          counts until the handler has returned; what is
//	                                      still unsent has Options.WriteTimeout, which
//	                                      has the same value unless it is set
//	a body that comes too slowly          below Options.MinBodyRate too, os.ErrDeadlineExceeded
//	                                      for the handler, 408 for the client
//	a handler that takes too long         503 after Options.HandlerTimeout
//	a goroutine for each connection       one for each request, of 20,000 at most: beyond
//	                                      that 503
//	BaseContext(l), once a listener       once a server, with its first connection; only
//	                                      l.Addr works
//	ConnContext, ConnState                on the event loop: they must not block; of the
//	                                      net.Conn only the addresses and Close work
//	ErrorLog                              panics are also in the engine's log, and counted;
//	                                      without an ErrorLog all is in the engine's log
//	any number of fields in a head        10,000, or Options.MaxFields: 431
//	CONNECT                               501 without Options.AllowConnect; 400 for a path
//	                                      (RFC 9112 section 3.2.3), as net/rpc's clients
//	                                      send it
//	GET *, HTTP/2's preface, codings      400, 505 and 400: see package httpparse
//	  that do not end with chunked
//	trailers, framing, Host               checked more strictly: see package httpparse
//	text of the refusals                  the reason phrase of the status
//	Content-Length: +3, set by a handler  sent as 3
//	Content-Length: x, set by a handler   dropped, and the right length sent
//	a body with 205                       not sent (RFC 9110 section 15.3.6)
//	1xx to an HTTP/1.0 client             not sent (RFC 9110 section 15.2)
//	reading a body after the first        goes on; but the answer announces a close if
//	  flush                               the end of the body may be far and
//	                                      EnableFullDuplex was not called
//	early answer to a chunked body        the end of the body is waited for, for half a
//	                                      second at most
//	io.ReaderFrom                         copies: sendfile(2) would block the event loop
//	                                      while it reads a disk
//	hijacked connection                   no *net.TCPConn if output was pending
//	a client that stops sending           ends the context, also behind input that was not
//	                                      read
package http1
