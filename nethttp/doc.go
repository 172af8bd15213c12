// Package nethttp has net/http handlers, muxes and frameworks serve on an eddy engine,
// unchanged, each request on a goroutine:
//
//	server, err := nethttp.New(mux, http1.Options{})
//	...
//	_, err = engine.Listen("tcp", ":8080", server.Open)
//
// New takes a handler, NewServer also the settings of an http.Server, and an Adapter
// answers some of the requests of a server whose others are answered on the loop. Options
// are those of package http1, of which this package uses what every other adapter could.
//
// # Differences
//
// NewServer takes the settings of an http.Server, and a handler sees what net/http
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
package nethttp
