// Package nethttp serves net/http handlers, muxes and frameworks on an eddy engine, unchanged,
// each request on a goroutine:
//
//	server, err := nethttp.New(mux, http1.Options{})
//	...
//	_, err = engine.Listen("tcp", ":8080", server.Open)
//
// New has a handler, and NewServer the settings of an http.Server too. An Adapter responds to
// some requests of a server, while others are handled on the loop. Options are those of
// package http1, of which this package uses only the exported interface.
//
// # Differences
//
// A handler gets the same requests as from net/http. The module tests/nethttp of the
// repository runs net/http's own tests. These differences remain:
//
//	net/http                              here
//	--------                              ----
//	TLSConfig, TLSNextProto               ignored: package eddytls puts TLS under a
//	                                      server, and sets Request.TLS
//	HTTP/2 (Protocols)                    ignored: HTTP/1.1 only
//	Server.Serve, Shutdown, Close,        no effect: use Engine.Listen, Shutdown;
//	  RegisterOnShutdown                  Engine.Run returns after the drain
//	Server.SetKeepAlivesEnabled           no effect: use the method of http1.Server
//	no timeouts by default                those of Options, for fields of zero or below
//	WriteTimeout                          until the handler returns; then
//	                                      Options.WriteTimeout, by default the same
//	                                      value, applies to pending output
//	a slow body                           as after a timeout, below Options.MinBodyRate
//	a slow handler                        503 after Options.HandlerTimeout
//	a goroutine for each connection       one for each request; 503 beyond 20,000
//	BaseContext(l), once a listener       once a server; only l.Addr works
//	ConnContext, ConnState                on the event loop: they must not block; only
//	                                      the addresses and Close of the net.Conn work
//	ErrorLog                              panics are also counted, and in the engine's log
//	any number of fields in a head        10,000, or Options.Limits.Fields: 431
//	CONNECT                               501 without Options.AllowConnect; 400 for a path
//	                                      (RFC 9112 section 3.2.3), as net/rpc's clients
//	                                      send it
//	GET *, HTTP/2's preface, codings      400, 505 and 400: see package httpparse
//	  that do not end with chunked
//	trailers, framing, Host               stricter checks: see package httpparse
//	text of the refusals                  the reason phrase of the status
//	Content-Length: +3, set by a handler  sent as 3
//	Content-Length: x, set by a handler   omitted, and the right length sent
//	a body with 205                       not sent (RFC 9110 section 15.3.6)
//	1xx to an HTTP/1.0 client             not sent (RFC 9110 section 15.2)
//	reading a body after the first        works; without EnableFullDuplex, a response
//	  flush                               before a long rest has Connection: close
//	early response to a chunked body      waits half a second for the end of the body
//	io.ReaderFrom                         copies: sendfile(2) would block the event loop
//	                                      while it reads a disk
//	hijacked connection                   no *net.TCPConn if output was pending
//	a client that stops sending           ends the context, also after unread input
package nethttp
